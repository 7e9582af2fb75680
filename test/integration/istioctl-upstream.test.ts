import { load } from 'js-yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import { mergeJson } from '../../src/api/merge-json.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { profileNames } from '../../src/api/profiles.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import type { JsonObject } from '../../src/api/resolved-mesh.ts';
import { istioVersions } from '../../src/api/versions.ts';
import { convertedScenario, readConvertScenario } from '../golden/convert-scenario.ts';
import {
  absentInDefault,
  byName,
  compareObjects,
  type Difference,
  isOfInjector,
  ourCni,
  ourGateway,
  ourGatewayPorts,
  ourGatewayReplicas,
  ourIstiod,
  ourLabels,
  ourStablePolicy,
  ourZtunnel,
  renamedInCni,
} from '../support/chart-differences.ts';
import { istioctlManifest } from '../support/istioctl-manifest.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { renderAll } from '../support/rendered-objects.ts';
import { openUpstreamCharts } from '../support/upstream-charts.ts';

/** Given to both: images of no release, and that proxies learn at once of a trust bundle that grows. */
const common: JsonObject = {
  hub: 'registry.example.com/istio',
  tag: 'test',
  meshConfig: { defaultConfig: { proxyMetadata: { PROXY_CONFIG_XDS_AGENT: 'true' } } },
};

/** Objects that one side alone has, by `Kind name`, and why. */
const onlyIstioctl: readonly OneSided[] = [
  ...Object.entries(absentInDefault).map(([name, reason]) => ({ object: new RegExp(`^${name}$`), reason })),
  {
    object: /^HorizontalPodAutoscaler istio-(in|e)gressgateway$/,
    reason: 'it would undo the number of pods that is asked for',
  },
];
const onlyOurs: readonly OneSided[] = [
  {
    object: /^PodDisruptionBudget istio-(in|e)gressgateway$/,
    reason: 'of several pods, one stays while a node is drained',
  },
  {
    object:
      /^(ValidatingWebhookConfiguration istiod-default-validator|ValidatingAdmissionPolicy(Binding)? stable-channel-default-.*)$/,
    reason: 'istioctl makes it while it installs, and not in a manifest',
  },
];

interface OneSided {
  readonly object: RegExp;
  readonly reason: string;
}

const differencesOfConverted: readonly Difference[] = [
  {
    object: /^Deployment istiod$/,
    fact: /volumes\[istio-csr-(dns-cert|ca-configmap)\]\..*\.optional: true -> false$/,
    reason: 'an istiod that starts before they are there never serves',
  },
  {
    object: /^Deployment istiod$/,
    fact: /^spec\.template\.spec\.dnsConfig\.options(\.\[0\]\.|: )/,
    reason: 'an item of a list that is not there yet; istioctl makes a field of the name "[0]" of it',
  },
  {
    object: /^Service istio-ingressgateway$/,
    fact: /^spec\.ports\[8000\]\.targetPort: 8080 -> 80$/,
    reason: 'target port = port before the overlay, as everywhere',
  },
];

const differences: readonly Difference[] = [
  {
    object: /^Deployment istio(d|-.*gateway)$/,
    fact: /^spec\.template\.spec\.imagePullSecrets: nothing -> /,
    reason: 'on the pod, too: a ServiceAccount’s count only for pods made after it',
  },
  {
    object: /^Deployment istiod$/,
    fact: /^spec\.template\.spec\.tolerations: .* -> .*cni\.istio\.io\/not-ready/,
    reason: 'istiod must start before the CNI plugin is ready, whatever else it tolerates',
  },
  {
    object: /^Deployment istio-.*gateway$/,
    fact: /labels\.topology\.istio\.io\/network: nothing -> /,
    reason: 'as the injector labels pods of a mesh with networks',
  },
  {
    object: /^DaemonSet ztunnel$/,
    fact: /env\[PROXY_CONFIG_XDS_AGENT\]\.value: nothing -> "true"$/,
    reason:
      'ztunnel has the environment that the mesh gives its proxies; istioctl hands meshConfig to istiod alone',
  },
  ...ourCni,
  ...ourZtunnel,
  // The policy of the default revision is none of a manifest.
  ...ourStablePolicy.filter(({ object }) => !object.source.includes('default')),
  ...ourLabels,
  ...ourIstiod,
  ...ourGateway,
  ...ourGatewayPorts,
  ...ourGatewayReplicas,
];

/** One spec, as it is written in an IstioOperator. */
const pasted: JsonObject = {
  meshConfig: {
    accessLogFile: '/dev/stdout',
    outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
    defaultConfig: { holdApplicationUntilProxyStarts: true, concurrency: 2 },
    extensionProviders: [{ name: 'otel', opentelemetry: { service: 'otel.example.com', port: 4317 } }],
  },
  values: {
    global: {
      meshID: 'mesh-1',
      network: 'west',
      multiCluster: { clusterName: 'west-1' },
      meshNetworks: { west: { endpoints: [{ fromRegistry: 'west-1' }] } },
      imagePullSecrets: ['registry'],
      logAsJson: true,
      logging: { level: 'default:warn' },
      proxy: { logLevel: 'info', clusterDomain: 'k8s.example', resources: { requests: { cpu: '50m' } } },
    },
    pilot: {
      traceSampling: 25,
      keepaliveMaxServerConnectionAge: '1h',
      env: { ENABLE_NATIVE_SIDECARS: 'auto' },
    },
  },
  components: {
    pilot: {
      enabled: true,
      k8s: {
        resources: { requests: { cpu: '1', memory: '4Gi' }, limits: { memory: '8Gi' } },
        hpaSpec: { minReplicas: 3, maxReplicas: 10 },
        priorityClassName: 'system-cluster-critical',
        imagePullPolicy: 'IfNotPresent',
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ key: 'infra', operator: 'Exists', effect: 'NoSchedule' }],
        affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
        env: [{ name: 'PILOT_ENABLE_STATUS', value: 'true' }],
        podAnnotations: { 'example.com/scrape': 'yes' },
        serviceAnnotations: { 'example.com/mesh': 'control-plane' },
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        readinessProbe: { periodSeconds: 5, failureThreshold: 6 },
        overlays: [
          {
            kind: 'Deployment',
            name: 'istiod',
            patches: [
              {
                path: 'spec.template.spec.containers.[name:discovery].terminationMessagePolicy',
                value: 'File',
              },
            ],
          },
        ],
      },
    },
    ingressGateways: [
      {
        name: 'istio-ingressgateway',
        enabled: true,
        k8s: {
          hpaSpec: { minReplicas: 2, maxReplicas: 4 },
          resources: { requests: { cpu: '500m', memory: '256Mi' } },
          nodeSelector: { zone: 'edge' },
          podAnnotations: { 'example.com/team': 'edge' },
          env: [{ name: 'ISTIO_META_ROUTER_MODE', value: 'sni-dnat' }],
          service: {
            type: 'LoadBalancer',
            externalTrafficPolicy: 'Local',
            loadBalancerSourceRanges: ['203.0.113.0/24'],
            ports: [
              { name: 'status-port', port: 15021, targetPort: 15021 },
              { name: 'https', port: 443, targetPort: 8443 },
            ],
          },
        },
      },
    ],
    egressGateways: [{ name: 'istio-egressgateway', enabled: true, k8s: { replicaCount: 2 } }],
  },
};

/** IstioOperators of which nothing is lost when they are converted, and whose gateways have the usual names. */
const converted = ['iop-demo', 'iop-empty', 'iop-istio-csr', 'iop-overlays', 'iop-production'];

/** What one spec gives on both sides. */
interface Outcome {
  readonly missing: readonly string[];
  readonly added: readonly string[];
  readonly unexplained: readonly unknown[];
  readonly stale: readonly string[];
}

describe.each(istioVersions)('istioctl manifest generate of Istio $minor', ({ minor }) => {
  const outcomes = new Map<string, Outcome>();

  beforeAll(async () => {
    for (const profile of profileNames) outcomes.set(profile, await compare(minor, { profile }));
    outcomes.set('pasted', await compare(minor, pasted));
    for (const name of minor === istioVersions[0].minor ? converted : []) {
      outcomes.set(name, await compareConverted(minor, name));
    }
  }, 600_000);

  it.each(profileNames)('gives the objects of profile %s, but for what is meant', (profile) => {
    expect(outcomes.get(profile)).toMatchObject({ missing: [], added: [], unexplained: [] });
  });

  it('gives what a pasted spec of many settings gives, but for what is meant', () => {
    expect(outcomes.get('pasted')).toMatchObject({ missing: [], added: [], unexplained: [] });
  });

  it.each(minor === istioVersions[0].minor ? converted : [])(
    'gives what %s gives once it is converted, but for what is meant',
    (name) => {
      expect(outcomes.get(name)).toMatchObject({ missing: [], added: [], unexplained: [] });
    },
  );

  it('differs somewhere by every row', () => {
    const [first = [], ...others] = [...outcomes.values()].map(({ stale }) => stale);

    expect(first.filter((row) => others.every((stale) => stale.includes(row)))).toEqual([]);
  });
});

/** Conversion is compared for the newest minor only. */
function rowsOf(minor: string): readonly Difference[] {
  return minor === istioVersions[0].minor ? [...differences, ...differencesOfConverted] : differences;
}

function theirName(ourName: string): string {
  return (renamedInCni as Readonly<Record<string, string>>)[ourName] ?? ourName;
}

function isIn(rows: readonly OneSided[], name: string): boolean {
  return rows.some(({ object }) => object.test(name));
}

/** The same spec for both. */
async function compare(minor: string, spec: JsonObject): Promise<Outcome> {
  const mesh = aMeshOperator({ ...mergeJson(common, spec), version: minor } as MeshOperator['spec']);
  return compareMesh(minor, spec, mesh);
}

/** An IstioOperator for istioctl, and what it is converted to for ours. */
async function compareConverted(minor: string, scenario: string): Promise<Outcome> {
  const [conversion] = await convertedScenario(scenario);
  const { input } = await readConvertScenario(scenario);
  const { spec = {} } = load(input) as { spec?: JsonObject };
  if (conversion === undefined) throw new Error(`${scenario} is converted to nothing`);
  const mesh = conversion.mesh as unknown as MeshOperator;
  const { hub, tag } = common as { hub: string; tag: string };
  return compareMesh(minor, spec, { ...mesh, spec: { hub, tag, ...mesh.spec } });
}

async function compareMesh(minor: string, spec: JsonObject, mesh: MeshOperator): Promise<Outcome> {
  const rows = rowsOf(minor);
  const charts = await openUpstreamCharts(minor);
  const theirs = byName(await istioctlManifest(charts, mergeJson(common, spec)));
  const ours = byName(renderAll(resolveMesh(mesh)).filter((object) => !isOfInjector(object)));
  const renamed = new Set([...ours.keys()].map(theirName));
  return {
    missing: [...theirs.keys()].filter((name) => !renamed.has(name) && !isIn(onlyIstioctl, name)),
    added: [...ours.keys()].filter((name) => !theirs.has(theirName(name)) && !isIn(onlyOurs, name)),
    ...compareObjects(theirs, ours, rows, theirName),
  };
}
