import { beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { mergeJson } from '../../src/api/merge-json.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import type { JsonObject, ResolvedMesh } from '../../src/api/resolved-mesh.ts';
import { istioVersions } from '../../src/api/versions.ts';
import { renderIstioCrds } from '../../src/render/istio-crds.ts';
import {
  absentInDefault,
  absentInRemote,
  byName,
  compareObjects,
  type Difference,
  differencesOfMinor,
  isOfInjector,
  ourCni,
  ourDefaultRevision,
  ourGateway,
  ourGatewayPorts,
  ourGatewayReplicas,
  ourIstiod,
  ourIstiodOfAnotherAuthority,
  ourLabels,
  ourReader,
  ourRemote,
  ourStablePolicy,
  ourZtunnel,
  ownerLabels,
  renamedInCni,
} from '../support/chart-differences.ts';
import { containerOf, podTemplateOf, renderAll } from '../support/rendered-objects.ts';
import { openUpstreamCharts, parseManifests } from '../support/upstream-charts.ts';

interface Scenario {
  readonly name: string;
  /** Of our MeshOperator. */
  readonly spec: JsonObject;
  readonly namespace: string;
  /** Of Istio's charts, meant to say the same. */
  readonly values: JsonObject;
  /** Objects of the charts that we leave out, and why. */
  readonly absent: Readonly<Record<string, string>>;
  /** Objects of ours under another name than the charts': ours -> theirs. */
  readonly renamed?: Readonly<Record<string, string>>;
  readonly differences: readonly Difference[];
  /** Minors of Istio that can be asked for it; all of them when it is left out. */
  readonly minors?: readonly string[];
}

/** Charts of the components that have a pod on every node, as far as the mesh has them. */
function nodeCharts({ cni, ztunnel }: ResolvedMesh): string[] {
  return [...(cni.enabled ? ['istio-cni'] : []), ...(ztunnel.enabled ? ['ztunnel'] : [])];
}

function namespaceOf({ namespace, cni, ztunnel }: ResolvedMesh, chart: string): string {
  if (chart === 'istio-cni') return cni.namespace;
  return chart === 'ztunnel' ? ztunnel.namespace : namespace;
}

/** As IstioOperator gives values to that chart: settings of all components and its own, side by side. */
function ztunnelValues(values: JsonObject): JsonObject {
  const { global, ztunnel, ...rest } = values;
  return mergeJson(rest, { global: global ?? {} }, (ztunnel ?? {}) as JsonObject);
}

/** Charts of an unreleased build name no released image, so both sides get this one. */
const images = { hub: 'registry.example.com/istio', tag: 'test' };

/** What our meshes have and the charts do not, given to both: proxies learn at once of a trust bundle that grows. */
const followBundles: JsonObject = {
  meshConfig: { defaultConfig: { proxyMetadata: { PROXY_CONFIG_XDS_AGENT: 'true' } } },
};

/** What IstioOperator renders a gateway with; an east-west one is an ingress gateway of other labels and ports. */
const gatewayCharts: Readonly<Record<string, { readonly chart: string; readonly values: JsonObject }>> = {
  'istio-ingressgateway': { chart: 'gateways/istio-ingress', values: {} },
  'istio-egressgateway': { chart: 'gateways/istio-egress', values: {} },
  'istio-eastwestgateway': {
    chart: 'gateways/istio-ingress',
    values: {
      gateways: {
        'istio-ingressgateway': {
          name: 'istio-eastwestgateway',
          labels: {
            app: 'istio-eastwestgateway',
            istio: 'eastwestgateway',
            'topology.istio.io/network': 'west',
          },
          env: { ISTIO_META_REQUESTED_NETWORK_VIEW: 'west' },
          ports: [
            { name: 'status-port', port: 15021, targetPort: 15021 },
            { name: 'tls', port: 15443, targetPort: 15443 },
            { name: 'tls-istiod', port: 15012, targetPort: 15012 },
            { name: 'tls-webhook', port: 15017, targetPort: 15017 },
          ],
        },
      },
    },
  },
};

const manyValues: JsonObject = {
  global: {
    logAsJson: true,
    logging: { level: 'default:warn' },
    network: 'west',
    meshID: 'mesh-1',
    multiCluster: { clusterName: 'west-1' },
    meshNetworks: { west: { endpoints: [{ fromRegistry: 'west-1' }] } },
    imagePullPolicy: 'Always',
    imagePullSecrets: ['registry'],
    priorityClassName: 'system-cluster-critical',
    variant: 'distroless',
    proxy: { clusterDomain: 'k8s.example', logLevel: 'info', componentLogLevel: 'dns:debug' },
  },
  pilot: {
    autoscaleMin: 2,
    autoscaleMax: 7,
    cpu: { targetAverageUtilization: 60 },
    memory: { targetAverageUtilization: 70 },
    rollingMaxSurge: 1,
    rollingMaxUnavailable: 0,
    resources: { requests: { cpu: '1500m', memory: '1Gi' }, limits: { memory: '2Gi' } },
    env: { PILOT_SCOPE_GATEWAY_TO_NAMESPACE: 'true' },
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }],
    podAnnotations: { 'example.com/a': 'b' },
    podLabels: { tier: 'control' },
    serviceAnnotations: { 'example.com/c': 'd' },
    traceSampling: 25,
    keepaliveMaxServerConnectionAge: '1h',
    extraContainerArgs: ['--grpcAddr='],
  },
  meshConfig: { accessLogFile: '/dev/stdout', defaultConfig: { proxyMetadata: { A: 'b' } } },
};

const manyCniValues: JsonObject = {
  global: {
    logAsJson: true,
    imagePullPolicy: 'Always',
    imagePullSecrets: ['registry'],
    variant: 'distroless',
    nativeNftables: true,
  },
  cni: {
    logging: { level: 'cni:debug' },
    cniBinDir: '/home/kubernetes/bin',
    cniConfDir: '/etc/cni/other',
    cniConfFileName: '10-calico.conflist',
    cniNetnsDir: '/var/run/docker/netns',
    istioOwnedCNIConfig: true,
    istioOwnedCNIConfigFileName: '02-mine.conflist',
    excludeNamespaces: ['kube-system', 'other'],
    chained: false,
    provider: 'multus',
    ambient: {
      enabled: true,
      enablementSelectors: [{ podSelector: { matchLabels: { ambient: 'yes' } } }],
      dnsCapture: false,
      ipv6: false,
      reconcileIptablesOnStartup: false,
      shareHostNetworkNamespace: true,
      enableAmbientDetectionRetry: true,
    },
    repair: {
      repairPods: false,
      deletePods: true,
      initContainerName: 'mine',
      brokenPodLabelKey: 'example.com/broken',
      brokenPodLabelValue: 'yes',
    },
    seccompProfile: { type: 'RuntimeDefault' },
    seLinuxOptions: { level: 's0' },
    resources: { requests: { cpu: '50m' }, limits: { memory: '1Gi' } },
    resourceQuotas: { enabled: true, pods: 100 },
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    podAnnotations: { 'example.com/a': 'b' },
    podLabels: { tier: 'node' },
    daemonSetLabels: { team: 'mesh' },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '20%' } },
    terminationGracePeriodSeconds: 60,
    env: { CNI_EXAMPLE: 'true' },
  },
};

const manyZtunnelValues: JsonObject = {
  global: {
    logAsJson: true,
    imagePullPolicy: 'Always',
    imagePullSecrets: ['registry'],
    network: 'west',
    multiCluster: { clusterName: 'west-1' },
    platform: 'gke',
  },
  cni: { cniBinDir: '/home/kubernetes/bin' },
  ztunnel: {
    image: 'my-ztunnel',
    caAddress: 'ca.example.com:443',
    xdsAddress: 'xds.example.com:15012',
    logLevel: 'info,h2=warn',
    peerCaCrl: { enabled: true },
    seLinuxOptions: { type: 'spc_t', level: 's0' },
    resources: { requests: { cpu: '50m' }, limits: { cpu: '1500m', memory: '1Gi' } },
    resourceQuotas: { pods: 100 },
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    podAnnotations: { 'example.com/a': 'b' },
    podLabels: { tier: 'node' },
    labels: { team: 'mesh' },
    annotations: { 'example.com/c': 'd' },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '20%', maxUnavailable: 0 } },
    terminationGracePeriodSeconds: 60,
    env: { ZTUNNEL_EXAMPLE: 'true' },
  },
};

/** What the scenarios of a revision have in common. */
const absentInCanary = {
  'ConfigMap values-canary': 'a record of Helm values that nothing reads',
  'ConfigMap istio-sidecar-injector-canary': 'injection is our own webhook',
  'MutatingWebhookConfiguration istio-sidecar-injector-canary-payments-mesh': 'injection is our own webhook',
  'ClusterRole istiod-gateway-controller-canary-payments-mesh': 'istiod deploys no Gateways',
  'ClusterRoleBinding istiod-gateway-controller-canary-payments-mesh': 'istiod deploys no Gateways',
};

const renamedInCanary = {
  'ServiceAccount istio-reader-service-account-canary': 'ServiceAccount istio-reader-service-account',
};

const ourCanary: readonly Difference[] = [
  {
    object: /^(ServiceAccount|ClusterRoleBinding) istio-reader-/,
    fact: /^(metadata\.name|subjects\[istio-reader-service-account(-canary)?\]\.)/,
    reason: 'one name for all revisions of a namespace would make two meshes fight over the object',
  },
];

const scenarios: readonly Scenario[] = [
  {
    name: 'default mesh',
    spec: {},
    namespace: 'istio-system',
    values: {},
    absent: absentInDefault,
    differences: [...ourLabels, ...ourIstiod, ...ourDefaultRevision, ...ourGateway, ...ourGatewayPorts],
  },
  {
    name: 'revision in a namespace of its own',
    spec: { revision: 'canary', profile: 'minimal' },
    namespace: 'payments-mesh',
    values: { revision: 'canary', global: { istioNamespace: 'payments-mesh' }, defaultRevision: '' },
    absent: absentInCanary,
    renamed: renamedInCanary,
    differences: [...ourLabels, ...ourIstiod, ...ourCanary],
  },
  {
    name: 'demo profile',
    spec: { profile: 'demo' },
    namespace: 'istio-system',
    values: { profile: 'demo' },
    absent: absentInDefault,
    differences: [
      ...ourLabels,
      ...ourIstiod,
      ...ourDefaultRevision,
      ...ourGateway,
      ...ourGatewayPorts,
      ...ourGatewayReplicas,
    ],
  },
  {
    name: 'mesh with gateways of every kind',
    spec: {
      values: { global: { network: 'west' } },
      components: {
        egressGateways: [{ name: 'istio-egressgateway' }],
        eastWestGateways: [{ name: 'istio-eastwestgateway' }],
      },
    },
    namespace: 'istio-system',
    values: { global: { network: 'west' } },
    absent: absentInDefault,
    differences: [
      ...ourLabels,
      ...ourIstiod,
      ...ourDefaultRevision,
      ...ourGateway,
      ...ourGatewayPorts,
      {
        object: /^Deployment istio-(in|e)gressgateway$/,
        fact: /labels\.topology\.istio\.io\/network: nothing -> "west"$/,
        reason: 'as the injector labels pods of a mesh with networks',
      },
      {
        object: /^(ServiceAccount|Role|RoleBinding|HorizontalPodAutoscaler|Deployment) istio-eastwestgateway/,
        fact: /^metadata\.labels\.topology\.istio\.io\/network: /,
        reason: 'every object of a gateway is found by the gateway’s labels',
      },
      {
        object: /istio-eastwestgateway/,
        fact: /labels\.app\.kubernetes\.io\/name: "istio-ingressgateway" -> "istio-eastwestgateway"$/,
        reason: 'named for what it is',
      },
      {
        object: /^(Service|Deployment) istio-eastwestgateway$/,
        fact: /^spec\.selector\.(matchLabels\.)?topology\.istio\.io\/network: "west" -> nothing$/,
        reason: 'not in the selector, which could never be changed',
      },
    ],
  },
  {
    name: 'mesh with an external authority',
    spec: {
      certificateAuthority: { provider: 'External', external: { address: 'istio-csr.cert-manager.svc:443' } },
    },
    namespace: 'istio-system',
    values: {
      global: { caAddress: 'istio-csr.cert-manager.svc:443' },
      pilot: { env: { ENABLE_CA_SERVER: 'false' } },
    },
    absent: absentInDefault,
    differences: [
      ...ourLabels,
      ...ourIstiodOfAnotherAuthority,
      ...ourDefaultRevision,
      ...ourGateway,
      ...ourGatewayPorts,
      {
        object: /^Deployment istiod$/,
        fact: /volumes\[istio-csr-(dns-cert|ca-configmap)\]\..*\.optional: true -> (false|nothing)$/,
        reason: 'an istiod that starts before they are there never serves',
      },
    ],
  },
  {
    name: 'preview profile',
    spec: { profile: 'preview' },
    namespace: 'istio-system',
    values: { profile: 'preview' },
    absent: absentInDefault,
    differences: [...ourLabels, ...ourIstiod, ...ourDefaultRevision, ...ourGateway, ...ourGatewayPorts],
  },
  {
    name: 'stable profile',
    spec: { profile: 'stable' },
    namespace: 'istio-system',
    values: { profile: 'stable' },
    absent: absentInDefault,
    differences: [
      ...ourLabels,
      ...ourIstiod,
      ...ourDefaultRevision,
      ...ourGateway,
      ...ourGatewayPorts,
      ...ourStablePolicy,
    ],
  },
  {
    name: 'openshift profile',
    spec: { profile: 'openshift' },
    namespace: 'istio-system',
    values: { global: { platform: 'openshift' } },
    absent: absentInDefault,
    renamed: renamedInCni,
    differences: [
      ...ourLabels,
      ...ourIstiod,
      ...ourDefaultRevision,
      ...ourGateway,
      ...ourGatewayPorts,
      ...ourCni,
    ],
  },
  {
    name: 'openshift profile with ztunnel',
    spec: {
      profile: 'openshift',
      components: { ztunnel: {}, ingressGateways: [] },
      values: { cni: { ambient: { enabled: true } } },
    },
    namespace: 'istio-system',
    values: { global: { platform: 'openshift' }, cni: { ambient: { enabled: true } } },
    absent: absentInDefault,
    renamed: renamedInCni,
    differences: [
      ...ourLabels,
      ...ourIstiod,
      ...ourDefaultRevision,
      ...ourCni,
      ...ourZtunnel,
      {
        object: /^ClusterRole(Binding)? ztunnel$/,
        fact: /^metadata\.labels\.app: "ztunnel" -> nothing$/,
        reason: 'read on pods only',
      },
    ],
  },
  {
    name: 'remote profile with an address',
    spec: { profile: 'remote', values: { global: { remotePilotAddress: '10.1.2.3' } } },
    namespace: 'istio-system',
    values: { profile: 'remote', global: { remotePilotAddress: '10.1.2.3' } },
    absent: absentInRemote,
    differences: [...ownerLabels, ...ourReader, ...ourRemote],
  },
  {
    name: 'remote profile with a host name',
    spec: { profile: 'remote', values: { global: { remotePilotAddress: 'istiod.west.example.com' } } },
    namespace: 'istio-system',
    values: { profile: 'remote', global: { remotePilotAddress: 'istiod.west.example.com' } },
    absent: absentInRemote,
    differences: [...ownerLabels, ...ourReader],
  },
  {
    name: 'ambient profile',
    spec: { profile: 'ambient' },
    namespace: 'istio-system',
    values: { profile: 'ambient', pilot: { cni: { enabled: true } } },
    absent: absentInDefault,
    renamed: renamedInCni,
    differences: [...ourLabels, ...ourIstiod, ...ourDefaultRevision, ...ourCni, ...ourZtunnel],
  },
  {
    name: 'ambient mesh with a revision, in a namespace of its own, and many values',
    spec: { profile: 'ambient', revision: 'canary', values: manyZtunnelValues },
    namespace: 'payments-mesh',
    values: mergeJson(manyZtunnelValues, {
      profile: 'ambient',
      revision: 'canary',
      istioNamespace: 'payments-mesh',
      global: { istioNamespace: 'payments-mesh' },
      defaultRevision: '',
    }),
    absent: absentInCanary,
    renamed: { ...renamedInCanary, ...renamedInCni },
    differences: [
      ...ourLabels,
      ...ourIstiod,
      ...ourCanary,
      ...ourCni,
      {
        object: /^(Deployment istiod-canary|DaemonSet (istio-cni-node|ztunnel))$/,
        fact: /^spec\.template\.spec\.imagePullSecrets: nothing -> /,
        reason: 'on the pod, too: a ServiceAccount’s count only for pods made after it',
      },
    ],
  },
  {
    name: 'mesh with the CNI plugin',
    spec: { profile: 'minimal', components: { cni: {} } },
    namespace: 'istio-system',
    values: {},
    absent: absentInDefault,
    renamed: renamedInCni,
    differences: [...ourLabels, ...ourIstiod, ...ourDefaultRevision, ...ourCni],
  },
  {
    name: 'mesh with the CNI plugin and many values',
    spec: { profile: 'minimal', components: { cni: {} }, values: manyCniValues },
    namespace: 'istio-system',
    values: manyCniValues,
    absent: absentInDefault,
    renamed: renamedInCni,
    differences: [
      ...ourLabels,
      ...ourIstiod,
      ...ourDefaultRevision,
      ...ourCni,
      {
        object: /^(Deployment istiod|DaemonSet istio-cni-node)$/,
        fact: /^spec\.template\.spec\.imagePullSecrets: nothing -> /,
        reason: 'on the pod, too: a ServiceAccount’s count only for pods made after it',
      },
    ],
  },
  {
    name: 'mesh with many values',
    spec: { profile: 'minimal', values: manyValues },
    namespace: 'istio-system',
    values: manyValues,
    absent: absentInDefault,
    differences: [
      ...ourLabels,
      ...ourIstiod,
      ...ourDefaultRevision,
      {
        object: /^Deployment istiod$/,
        fact: /^spec\.template\.spec\.imagePullSecrets: nothing -> /,
        reason: 'on the pod, too: a ServiceAccount’s count only for pods made after it',
      },
    ],
  },
  {
    name: 'mesh that complies with FIPS 140-3',
    spec: { values: { pilot: { env: { COMPLIANCE_POLICY: 'fips-140-3' } } } },
    namespace: 'istio-system',
    values: { pilot: { env: { COMPLIANCE_POLICY: 'fips-140-3' } } },
    absent: absentInDefault,
    differences: [
      ...ourLabels,
      ...ourIstiod,
      ...ourDefaultRevision,
      ...ourGateway,
      ...ourGatewayPorts,
      {
        object: /^Deployment istio-ingressgateway$/,
        fact: /env\[(COMPLIANCE_POLICY|GODEBUG)\]\.value: nothing -> /,
        reason: 'as the injector sets them, which the chart leaves to it',
      },
    ],
    minors: ['1.31'],
  },
];

const olderMinors = istioVersions.slice(1).map(({ minor }) => minor);

/** Each mesh in each supported minor, against the charts of that minor. */
const comparisons = istioVersions.flatMap(({ minor }) =>
  scenarios
    .filter(({ minors }) => minors === undefined || minors.includes(minor))
    .map((scenario) => ({ ...scenario, minor })),
);

describe.each(comparisons)('$name against the charts of Istio $minor', (comparison) => {
  const { minor, spec, namespace, values, absent, renamed, differences } = comparison;
  let upstream: Map<string, KubernetesObject>;
  let ours: Map<string, KubernetesObject>;

  beforeAll(async () => {
    const charts = await openUpstreamCharts(minor);
    const mesh = meshOf(namespace, { version: minor, ...spec });
    const names = ['base', 'istio-control/istio-discovery', ...nodeCharts(mesh)];
    const theirs = mergeJson({ global: images, ...followBundles }, values);
    const texts = await Promise.all([
      ...names.map((chart) => {
        const own = chart === 'ztunnel' ? ztunnelValues(theirs) : theirs;
        return charts.template({ chart, release: 'istio', namespace: namespaceOf(mesh, chart), values: own });
      }),
      ...mesh.gateways.map(({ name }) => {
        const { chart, values: own } = gatewayCharts[name] ?? { chart: `none for ${name}`, values: {} };
        return charts.template({ chart, release: 'istio', namespace, values: mergeJson(theirs, own) });
      }),
    ]);
    upstream = byName(
      texts.flatMap(parseManifests).filter(({ kind }) => kind !== 'CustomResourceDefinition'),
    );
    ours = byName(renderAll(mesh).filter((object) => !isOfInjector(object)));
  });

  const theirName = (ourName: string) => renamed?.[ourName] ?? ourName;

  it('has every object of the charts, but for the ones left out on purpose', () => {
    const rendered = new Set([...ours.keys()].map(theirName));

    const missing = [...upstream.keys()].filter((name) => !rendered.has(name));

    expect(missing.sort()).toEqual(Object.keys(absent).sort());
  });

  it('has no object that the charts do not have', () => {
    expect([...ours.keys()].filter((name) => !upstream.has(theirName(name)))).toEqual([]);
  });

  it('differs from the charts where it is meant to, and nowhere else', () => {
    const rows = differencesOfMinor(differences, minor);

    const { unexplained, stale } = compareObjects(upstream, ours, rows, theirName);

    expect(unexplained).toEqual([]);
    expect(stale).toEqual([]);
  });
});

describe('Istio’s CRDs', () => {
  it('are those of the base chart, without the labels of Helm', async () => {
    const charts = await openUpstreamCharts();
    const text = await charts.template({
      chart: 'base',
      release: 'istio',
      namespace: 'istio-system',
      values: {},
    });
    const theirs = parseManifests(text).filter(({ kind }) => kind === 'CustomResourceDefinition');

    const ours = renderIstioCrds();

    expect(ours.map(({ metadata }) => metadata.name)).toEqual(
      theirs.map(({ metadata }) => metadata.name).sort(),
    );
    expect(byName(theirs).size).toBe(15);
    for (const [name, crd] of byName(ours)) expect(crd.spec, name).toEqual(byName(theirs).get(name)?.spec);
  });

  it.each(olderMinors)('have all that those of Istio %s have', async (minor) => {
    const charts = await openUpstreamCharts(minor);
    const theirs = parseManifests(await charts.readFile('manifests/charts/base/files/crd-all.gen.yaml'));
    const ours = byName(renderIstioCrds());

    const lost = theirs.flatMap((crd) => {
      const name = `${crd.kind} ${crd.metadata.name}`;
      const kept = servedFields(ours.get(name));
      return [...servedFields(crd)].filter((path) => !kept.has(path)).map((path) => `${name} ${path}`);
    });

    expect(theirs.length).toBeGreaterThan(13);
    expect(lost).toEqual([]);
  });
});

describe.each(istioVersions)('gateway pods against the injection template of Istio $minor', ({ minor }) => {
  const absent = new Map([
    ['COMPLIANCE_POLICY', 'set on the gateway when wanted'],
    ...(minor === '1.31' ? ([['GODEBUG', 'follows COMPLIANCE_POLICY']] as const) : []),
    ['ISTIO_META_NETWORK', 'only in a mesh of several networks'],
    ['ISTIO_BOOTSTRAP_OVERRIDE', 'by an annotation of injected pods only'],
  ]);

  it('sets every variable that injection would set', async () => {
    const charts = await openUpstreamCharts(minor);
    const template = await charts.readFile(
      'manifests/charts/istio-control/istio-discovery/files/gateway-injection-template.yaml',
    );
    const theirs = [...template.matchAll(/^ *- name: "?([A-Z][A-Z_]+)"?$/gm)].map((match) => match[1] ?? '');
    const pod = podTemplateOf(renderAll(meshOf('istio-system', { version: minor })), 'istio-ingressgateway');
    const ours = containerOf(pod).env.map(({ name }) => name);

    const missing = [...new Set(theirs)].filter((name) => !ours.includes(name));

    expect(theirs.length).toBeGreaterThan(15);
    expect(missing.sort()).toEqual([...absent.keys()].sort());
  });
});

/** Every field that a CRD serves, by version: `v1 spec.hosts[]`. */
function servedFields(crd: KubernetesObject | undefined): Set<string> {
  const { versions = [] } = (crd?.spec ?? {}) as { versions?: readonly CrdVersion[] };
  return new Set(
    versions
      .filter(({ served }) => served)
      .flatMap(({ name, schema }) => schemaPaths(schema.openAPIV3Schema, name)),
  );
}

interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly schema: { readonly openAPIV3Schema: CrdSchema };
}

interface CrdSchema {
  readonly properties?: Readonly<Record<string, CrdSchema>>;
  readonly additionalProperties?: CrdSchema;
  readonly items?: CrdSchema;
}

function schemaPaths({ properties = {}, items, additionalProperties }: CrdSchema, path: string): string[] {
  return [
    path,
    ...Object.entries(properties).flatMap(([name, inner]) => schemaPaths(inner, `${path}.${name}`)),
    ...(items === undefined ? [] : schemaPaths(items, `${path}[]`)),
    ...(additionalProperties === undefined ? [] : schemaPaths(additionalProperties, `${path}{}`)),
  ];
}

function meshOf(namespace: string, spec: JsonObject): ResolvedMesh {
  return resolveMesh({
    apiVersion: 'meshoperator.dev/v1alpha1',
    kind: 'MeshOperator',
    metadata: { name: 'mesh', namespace },
    spec: { ...images, ...spec },
  } as MeshOperator);
}
