import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import { renderMonitoring } from '../../src/render/monitoring/monitoring.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type DiscoveredTarget, staticConfig } from '../support/discovered-targets.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { monitorConfig } from '../support/monitor-config.ts';
import { PrometheusProcess } from '../support/prometheus-process.ts';
import { aRenderContext } from '../support/render-context.ts';

/** A proxy of a revision; a gateway has no label by which others know that it takes mTLS. */
function proxy(revision: string, pod: string, more: Partial<DiscoveredTarget> = {}): DiscoveredTarget {
  return {
    ...{ role: 'pod', address: '10.0.0.1:15090', namespace: 'shop', pod },
    ...{ container: 'istio-proxy', port: 'http-envoy-prom' },
    labels: { 'service.istio.io/canonical-name': pod, 'security.istio.io/tlsMode': 'istio' },
    annotations: { 'istio.io/rev': revision },
    ...more,
  };
}

function gateway(revision: string, pod: string): DiscoveredTarget {
  return proxy(revision, pod, { labels: { 'service.istio.io/canonical-name': pod } });
}

function replica(app: string, revision: string, port: string, namespace = 'istio-system'): DiscoveredTarget {
  const name = revision === 'default' ? app : `${app}-${revision}`;
  return {
    ...{ role: 'endpoints', address: '10.0.0.2:1', namespace, pod: `${name}-0`, container: app, port },
    service: { name, labels: { app, 'istio.io/rev': revision } },
  };
}

const world: readonly DiscoveredTarget[] = [
  ...['default', 'canary', '1-31-1', '1-30-3', 'prod-1-31-1'].flatMap((revision) => [
    proxy(revision, `app-${revision}`),
    gateway(revision, `door-${revision}`),
    replica('istiod', revision, 'http-monitoring'),
    replica('sidecar-injector', revision, 'http-metrics'),
  ]),
  proxy('default', 'on-ipv6', { address: '[fd00::1]:15090' }),
  proxy('default', 'its-app', { container: 'app', port: 'http' }),
  replica('istiod', 'default', 'https-webhook'),
  replica('istiod', 'default', 'http-monitoring', 'tenant'),
];

/** Each target that is read: job, pod, and for proxies where, and whether it is a gateway. */
async function targetsOf(spec: MeshOperatorSpec): Promise<string[]> {
  const mesh = resolveMesh(aMeshOperator({ telemetry: { monitoring: { interval: '2m' } }, ...spec }));
  let given = 0;
  const config = await monitorConfig(renderMonitoring(mesh, aRenderContext()), ({ role, ...where }) => {
    const { namespaces } = where as { namespaces?: { names: string[] } };
    const seen = world.filter(
      (found) => found.role === role && (namespaces?.names.includes(found.namespace) ?? true),
    );
    given += seen.length;
    return { static_configs: seen.map(staticConfig) };
  });
  const prometheus = await PrometheusProcess.start(config);
  try {
    await waitUntil({ what: 'Prometheus has looked at all' }, async () => {
      const { read, dropped } = await prometheus.targets();
      return read.length + dropped === given;
    });
    const { read } = await prometheus.targets();
    return read
      .map(({ url, labels: { job, pod, gateway: door } }) =>
        [
          job,
          pod,
          ...(job?.includes('proxies') === true ? [url] : []),
          ...(door === undefined ? [] : [door]),
        ].join(' '),
      )
      .sort();
  } finally {
    await prometheus.stop();
  }
}

const agent = 'http://10.0.0.1:15020/stats/prometheus';

describe('what a real Prometheus reads, by what a real Prometheus Operator makes of the monitors', () => {
  it.each<readonly [string, MeshOperatorSpec, readonly string[]]>([
    [
      'a default mesh',
      {},
      [
        'istio-system/istiod istiod-0',
        `istio-system/mesh-proxies app-default ${agent}`,
        `istio-system/mesh-proxies door-default ${agent} shop/door-default`,
        'istio-system/mesh-proxies on-ipv6 http://[fd00::1]:15020/stats/prometheus',
        'istio-system/sidecar-injector sidecar-injector-0',
      ],
    ],
    [
      'a mesh with a revision',
      { revision: 'canary' },
      [
        'istio-system/istiod-canary istiod-canary-0',
        `istio-system/mesh-proxies-canary app-canary ${agent}`,
        `istio-system/mesh-proxies-canary door-canary ${agent} shop/door-canary`,
        'istio-system/sidecar-injector-canary sidecar-injector-canary-0',
      ],
    ],
    [
      'a mesh of several control planes',
      { upgrade: { strategy: 'RevisionBased' } },
      [
        ...['1-30-3', '1-31-1'].map((revision) => `istio-system/istiod istiod-${revision}-0`),
        ...['1-30-3', '1-31-1'].map((revision) => `istio-system/mesh-proxies app-${revision} ${agent}`),
        ...['1-30-3', '1-31-1'].map(
          (revision) => `istio-system/mesh-proxies door-${revision} ${agent} shop/door-${revision}`,
        ),
        ...['1-30-3', '1-31-1'].map(
          (revision) => `istio-system/sidecar-injector sidecar-injector-${revision}-0`,
        ),
      ],
    ],
    [
      'a mesh whose agents are elsewhere',
      { revision: 'prod-1-31-1', values: { global: { proxy: { statusPort: 15999 } } } },
      [
        'istio-system/istiod-prod-1-31-1 istiod-prod-1-31-1-0',
        `istio-system/mesh-proxies-prod-1-31-1 app-prod-1-31-1 ${agent.replace('15020', '15999')}`,
        `istio-system/mesh-proxies-prod-1-31-1 door-prod-1-31-1 ${agent.replace('15020', '15999')} shop/door-prod-1-31-1`,
        'istio-system/sidecar-injector-prod-1-31-1 sidecar-injector-prod-1-31-1-0',
      ],
    ],
  ])('is all of %s, and nothing else', async (_what, spec, expected) => {
    expect(await targetsOf(spec)).toEqual([...expected].sort());
  });
});
