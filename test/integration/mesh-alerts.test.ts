import { afterAll, beforeAll, describe, it } from 'vitest';
import { resolveMesh } from '../../src/api/resolve.ts';
import { ruleGroups } from '../../src/render/monitoring/rule-groups.ts';
import { type AlertRow, testAlerts } from '../support/alert-tests.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { type InputSeries, Promtool } from '../support/promtool.ts';

const mesh = resolveMesh(aMeshOperator({ telemetry: { monitoring: {} } }));
const alerts = mesh.monitoring?.alerts;
const groups = alerts === undefined ? [] : ruleGroups(mesh, alerts);

/** Series of parts of the mesh, with the labels that its monitors give them. */
const proxies = (name: string, labels = '', values = '1x60'): InputSeries => [
  `${name}{job="istio-system/mesh-proxies"${labels === '' ? '' : `, ${labels}`}}`,
  values,
];
const istiod = (name: string, labels = '', values = '1x60'): InputSeries => [
  `${name}{job="istio-system/istiod"${labels === '' ? '' : `, ${labels}`}}`,
  values,
];
const injector = (name: string, labels = '', values = '1x60'): InputSeries => [
  `${name}{job="istio-system/sidecar-injector"${labels === '' ? '' : `, ${labels}`}}`,
  values,
];

const web = 'reporter="destination", destination_workload_namespace="shop", destination_workload="web"';
const door = 'reporter="source", gateway="istio-system/door"';
const webService = 'reporter="source", destination_service_namespace="shop", destination_service_name="web"';
const ok = 'response_code="200"';

/** Requests of a kind, so many more each minute. */
const requests = (of: string, perMinute: number, kind = ok): InputSeries =>
  proxies('istio_requests_total', `${of}, ${kind}`, `0+${perMinute}x60`);

/** Requests a minute of which all are answered in less than so many milliseconds, but no faster. */
const answered = (of: string, perMinute: number, withinMs: number): InputSeries[] =>
  [100, 500, 2500, '+Inf'].map((le) =>
    proxies(
      'istio_request_duration_milliseconds_bucket',
      `${of}, le="${le}"`,
      `0+${le === '+Inf' || Number(le) >= withinMs ? perMinute : 0}x60`,
    ),
  );

const day = 86_400;

const toWeb = { destination_workload_namespace: 'shop', destination_workload: 'web' };
const toDoor = { gateway: 'istio-system/door' };

const rows: readonly AlertRow[] = [
  {
    alert: 'MeshWorkloadErrors',
    fires: [
      {
        name: 'one in ten with a 5xx status',
        series: [requests(web, 900), requests(web, 100, 'response_code="503"')],
        labels: toWeb,
        summary: 'Workload shop/web fails 10% of its requests',
      },
      {
        name: 'one in ten with a gRPC status that means a fault of the server',
        series: [
          requests(web, 900, `${ok}, grpc_response_status="0"`),
          requests(web, 100, `${ok}, grpc_response_status="14"`),
        ],
        labels: toWeb,
        summary: 'Workload shop/web fails 10% of its requests',
      },
    ],
    silent: [
      {
        name: 'four in a hundred',
        series: [requests(web, 960), requests(web, 40, 'response_code="503"')],
      },
      {
        name: 'what callers did wrong',
        series: [
          requests(web, 900, 'response_code="404"'),
          requests(web, 900, `${ok}, grpc_response_status="5"`),
        ],
      },
      { name: 'next to no requests', series: [requests(web, 1, 'response_code="500"')] },
      { name: 'no failure', series: [requests(web, 900)] },
      {
        name: 'another mesh',
        series: [
          [`istio_requests_total{job="tenant/mesh-proxies", ${web}, response_code="500"}`, '0+900x60'],
        ],
      },
    ],
  },
  {
    alert: 'MeshWorkloadSlow',
    fires: [
      {
        name: 'answers after more than a second',
        series: [requests(web, 600), ...answered(web, 600, 2500)],
        labels: toWeb,
        summary: 'Workload shop/web takes 2.48k ms for the slowest hundredth of its requests',
      },
    ],
    silent: [
      { name: 'answers within half a second', series: [requests(web, 600), ...answered(web, 600, 500)] },
      { name: 'next to no requests', series: [requests(web, 1), ...answered(web, 1, 2500)] },
    ],
  },
  {
    alert: 'MeshGatewayErrors',
    fires: [
      {
        name: 'one in ten with a 5xx status',
        series: [requests(door, 900), requests(door, 100, 'response_code="503"')],
        labels: toDoor,
        summary: 'Gateway istio-system/door fails 10% of its requests',
      },
    ],
    silent: [
      {
        name: 'four in a hundred',
        series: [requests(door, 960), requests(door, 40, 'response_code="503"')],
      },
      {
        name: 'what a sidecar meets as a caller',
        series: [requests('reporter="source", source_workload="web"', 900, 'response_code="503"')],
      },
    ],
  },
  {
    alert: 'MeshGatewaySlow',
    fires: [
      {
        name: 'answers after more than a second',
        series: [requests(door, 600), ...answered(door, 600, 2500)],
        labels: toDoor,
        summary: 'Gateway istio-system/door takes 2.48k ms for the slowest hundredth of its requests',
      },
    ],
    silent: [
      { name: 'answers within half a second', series: [requests(door, 600), ...answered(door, 600, 500)] },
    ],
  },
  {
    alert: 'MeshRequestsTurnedAway',
    fires: [
      {
        name: 'a full pool',
        series: [
          requests(webService, 900, `${ok}, response_flags="-"`),
          requests(webService, 100, 'response_code="503", response_flags="UO"'),
        ],
        labels: { destination_service_namespace: 'shop', destination_service_name: 'web' },
        summary: 'Limits turn away 10% of the requests to shop/web',
      },
      {
        name: 'a rate limit among other flags',
        series: [
          requests(webService, 900, `${ok}, response_flags="-"`),
          requests(webService, 100, 'response_code="429", response_flags="RL,DC"'),
        ],
        labels: { destination_service_namespace: 'shop', destination_service_name: 'web' },
        summary: 'Limits turn away 10% of the requests to shop/web',
      },
    ],
    silent: [
      {
        name: 'nobody there',
        series: [
          requests(webService, 900, `${ok}, response_flags="-"`),
          requests(webService, 100, 'response_code="503", response_flags="UH"'),
        ],
      },
    ],
  },
  ...(
    [
      ['root', 'MeshRoot', 'citadel_server_root_cert_expiry_timestamp'],
      ['intermediate', 'MeshIntermediate', 'citadel_server_cert_chain_expiry_timestamp'],
    ] as const
  ).flatMap(([certificate, name, figure]): AlertRow[] => [
    {
      alert: `${name}EndsSoon`,
      fires: [
        {
          name: 'less than a month left, of one of two replicas',
          series: [
            istiod(figure, 'pod="a"', `${29 * day + 2400}x60`),
            istiod(figure, 'pod="b"', `${40 * day}x60`),
          ],
          summary: `The ${certificate} certificate that istiod signs with ends in 29d 0h 0m 0s`,
        },
      ],
      silent: [{ name: 'more than a month left', series: [istiod(figure, '', `${32 * day}x60`)] }],
    },
    {
      alert: `${name}EndsVerySoon`,
      fires: [
        {
          name: 'less than a week left',
          series: [istiod(figure, '', `${6 * day + 2400}x60`)],
          summary: `The ${certificate} certificate that istiod signs with ends in 6d 0h 0m 0s`,
        },
      ],
      silent: [{ name: 'more than a week left', series: [istiod(figure, '', `${8 * day}x60`)] }],
    },
  ]),
  {
    alert: 'MeshWorkloadCertificatesEndSoon',
    fires: [
      {
        name: 'two proxies that renew no longer',
        series: ['a', 'b'].map((pod) =>
          proxies(
            'istio_agent_cert_expiry_seconds',
            `namespace="shop", pod="${pod}", resource_name="default"`,
            '11000-60x60',
          ),
        ),
        labels: { workload_namespace: 'shop' },
        summary: 'The certificates of 2 proxies in namespace shop end soon',
      },
    ],
    silent: [
      {
        name: 'proxies that are about to renew',
        series: [proxies('istio_agent_cert_expiry_seconds', 'namespace="shop", pod="a"', '44000-60x60')],
      },
    ],
  },
  {
    alert: 'MeshCertificatesRefused',
    fires: ['authentication_failure', 'csr_parsing_err', 'csr_sign_err'].map((what) => ({
      name: what,
      series: [istiod(`citadel_server_${what}_count`, '', '0+60x60')],
      summary: 'istiod refuses to sign 1 certificates in a second',
    })),
    silent: [
      { name: 'what it signs', series: [istiod('citadel_server_csr_count', '', '0+60x60')] },
      {
        name: 'a refusal long ago',
        series: [istiod('citadel_server_authentication_failure_count', '', '0 1 2x60')],
      },
    ],
  },
  {
    alert: 'MeshIstiodDown',
    fires: [
      { name: 'no istiod', series: [], summary: 'No istiod answers' },
      { name: 'none that answers', series: [istiod('up', '', '0x60')], summary: 'No istiod answers' },
    ],
    silent: [{ name: 'one of two', series: [istiod('up', 'pod="a"', '0x60'), istiod('up', 'pod="b"')] }],
  },
  {
    alert: 'MeshPushErrors',
    fires: [
      ['pilot_total_xds_internal_errors', ''],
      ['pilot_xds_pushes', 'type="cds_senderr"'],
      ['pilot_xds_pushes', 'type="lds_builderr"'],
      ['pilot_xds_write_timeout', ''],
    ].map(([metric = '', labels = '']) => ({
      name: `${metric} ${labels}`,
      series: [istiod(metric, labels, '0+60x60')],
      summary: 'istiod cannot tell proxies of 1 changes in a second',
    })),
    silent: [{ name: 'pushes', series: [istiod('pilot_xds_pushes', 'type="cds"', '0+60x60')] }],
  },
  {
    alert: 'MeshConfigRejected',
    fires: [
      {
        name: 'a rejection every five minutes',
        series: [
          istiod(
            'pilot_total_xds_rejects',
            'type="lds"',
            '0 0 0 0 0 1 1 1 1 1 2 2 2 2 2 3 3 3 3 3 4 4 4 4 4 5 5 5 5 5 6 6 6 6 6 7 7 7 7 7 8',
          ),
        ],
        labels: { type: 'lds' },
        summary: 'Proxies reject what istiod tells them of lds',
      },
      {
        name: 'the first rejections of an istiod, all at once',
        series: [istiod('pilot_total_xds_rejects', 'type="cds"', '_x33 7x30')],
        labels: { type: 'cds' },
        summary: 'Proxies reject what istiod tells them of cds',
      },
    ],
    silent: [
      {
        name: 'a rejection long ago',
        series: [istiod('pilot_total_xds_rejects', 'type="lds"', '0 1x60')],
      },
    ],
  },
  {
    alert: 'MeshPushSlow',
    fires: [
      {
        name: 'changes that take up to twenty seconds',
        series: [
          istiod('pilot_proxy_convergence_time_bucket', 'le="10"', '0+0x60'),
          istiod('pilot_proxy_convergence_time_bucket', 'le="20"', '0+60x60'),
          istiod('pilot_proxy_convergence_time_bucket', 'le="+Inf"', '0+60x60'),
        ],
        summary: 'A change takes 19.9 s to reach all proxies',
      },
    ],
    silent: [
      {
        name: 'changes that take a second',
        series: ['1', '10', '+Inf'].map((le) =>
          istiod('pilot_proxy_convergence_time_bucket', `le="${le}"`, '0+60x60'),
        ),
      },
    ],
  },
  {
    alert: 'MeshSyncErrors',
    fires: [
      {
        name: 'watches that fail',
        series: [istiod('controller_sync_errors_total', 'cluster="east"', '0+1x60')],
        labels: { cluster: 'east' },
        summary: 'istiod cannot watch cluster east',
      },
    ],
    silent: [
      {
        name: 'watches that failed once',
        series: [istiod('controller_sync_errors_total', 'cluster="east"', '0 5x60')],
      },
    ],
  },
  {
    alert: 'MeshRemoteClusterUnsynced',
    fires: [
      {
        name: 'a cluster that does not answer',
        series: [
          istiod('istiod_remote_cluster_sync_status', 'cluster="west", status="synced"', '0x60'),
          istiod('istiod_remote_cluster_sync_status', 'cluster="west", status="timeout"', '1x60'),
        ],
        labels: { cluster: 'west' },
        summary: 'istiod does not know what is in cluster west',
      },
    ],
    silent: [
      {
        name: 'a cluster that is known',
        series: [
          istiod('istiod_remote_cluster_sync_status', 'cluster="west", status="synced"', '1x60'),
          istiod('istiod_remote_cluster_sync_status', 'cluster="west", status="syncing"', '0x60'),
        ],
      },
      {
        name: 'a cluster that is no longer of the mesh',
        series: ['synced', 'syncing', 'timeout', 'closed'].map((status) =>
          istiod('istiod_remote_cluster_sync_status', `cluster="west", status="${status}"`, '0x60'),
        ),
      },
    ],
  },
  {
    alert: 'MeshInjectorDown',
    fires: [{ name: 'no injector', series: [], summary: 'No sidecar injector answers' }],
    silent: [{ name: 'one that answers', series: [injector('up')] }],
  },
  {
    alert: 'MeshInjectorErrors',
    fires: [
      {
        name: 'pods that are refused',
        series: [injector('mesh_operator_injection_failures_total', 'reason="InvalidAnnotation"', '0+1x60')],
        labels: { reason: 'InvalidAnnotation' },
        summary: 'The sidecar injector fails or refuses pods: InvalidAnnotation',
      },
    ],
    silent: [
      {
        name: 'a pod that was refused once',
        series: [injector('mesh_operator_injection_failures_total', 'reason="InvalidAnnotation"', '0 1x60')],
      },
    ],
  },
  {
    alert: 'MeshProxiesWithoutIstiod',
    fires: [
      {
        name: 'one proxy of two',
        series: [
          proxies('istio_agent_istiod_connection_failures', 'namespace="shop", pod="a"', '0+2x60'),
          proxies('istio_agent_istiod_connection_failures', 'namespace="shop", pod="b"', '2x60'),
        ],
        labels: { workload_namespace: 'shop' },
        summary: '1 proxies in namespace shop do not get a connection to istiod',
      },
    ],
    silent: [
      {
        name: 'a restart of istiod',
        series: [proxies('istio_agent_istiod_connection_failures', 'namespace="shop", pod="a"', '0 1 2x60')],
      },
    ],
  },
  {
    alert: 'MeshProxiesNotWatched',
    fires: [
      {
        name: 'half of them',
        series: [proxies('up', 'pod="a"', '0x60'), proxies('up', 'pod="b"')],
        summary: 'Prometheus does not reach 50% of the proxies',
      },
    ],
    silent: [
      {
        name: 'one of twenty',
        series: Array.from({ length: 20 }, (_, index) =>
          proxies('up', `pod="${index}"`, index === 0 ? '0x60' : '1x60'),
        ),
      },
      { name: 'no proxies at all', series: [] },
    ],
  },
];

testAlerts('alerts of a mesh', groups, rows);

describe('what is recorded of a mesh, in real promtool', () => {
  let promtool: Promtool;

  beforeAll(async () => {
    promtool = await Promtool.open(groups);
  });

  afterAll(() => promtool?.close());

  const traffic = [
    requests(web, 540),
    requests(web, 60, 'response_code="500"'),
    ...answered(web, 600, 500),
    requests(door, 300),
    ...answered(door, 300, 100),
    requests(webService, 60, `${ok}, response_flags="-"`),
  ];
  const ofMesh = 'mesh="mesh", namespace="istio-system"';
  const ofWeb = `destination_workload="web", destination_workload_namespace="shop", ${ofMesh}`;
  const ofDoor = `gateway="istio-system/door", ${ofMesh}`;

  it.each<readonly [record: string, labels: string, value: number]>([
    ['workload:istio_requests:rate5m', ofWeb, 10],
    ['workload:istio_requests_failed:ratio_rate5m', ofWeb, 0.1],
    ['workload:istio_request_duration_milliseconds:p50_rate5m', ofWeb, 300],
    ['workload:istio_request_duration_milliseconds:p99_rate5m', ofWeb, 496],
    ['gateway:istio_requests:rate5m', ofDoor, 5],
    ['gateway:istio_requests_failed:ratio_rate5m', ofDoor, 0],
    ['gateway:istio_request_duration_milliseconds:p50_rate5m', ofDoor, 50],
    ['gateway:istio_request_duration_milliseconds:p99_rate5m', ofDoor, 99],
  ])('is %s', async (record, labels, value) => {
    await promtool.expectSamples({
      expr: record,
      series: traffic,
      at: '20m',
      expected: [{ labels: `${record}{${labels}}`, value }],
    });
  });
});
