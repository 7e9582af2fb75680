import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { MeshOperator } from '../../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { TerminalError } from '../../../src/base/errors.ts';
import { aMeshOperator, aMeshOperatorFromYaml } from '../../support/mesh-operator.ts';

function resolve(spec: string) {
  return resolveMesh(aMeshOperatorFromYaml(spec));
}

/** The first ingress gateway of a spec that has one. */
function resolveGateway(k8s: string) {
  const [gateway] = resolve(`components: { ingressGateways: [{ name: public, k8s: ${k8s} }] }`).gateways;
  if (gateway === undefined) throw new Error('the spec has a gateway');
  return gateway;
}

describe('resolveMesh', () => {
  it('gives an empty spec the defaults that Istio has', () => {
    const mesh = resolveMesh(aMeshOperator());

    expect(mesh).toMatchObject({
      name: 'mesh',
      namespace: 'istio-system',
      revision: '',
      version: { minor: '1.31', patch: '1.31.1' },
      profile: 'default',
      hub: 'registry.istio.io/release',
      tag: '1.31.1',
      imagePullSecrets: [],
      meshNetworks: { networks: {} },
      meshId: '',
      network: '',
      clusterId: 'Kubernetes',
      base: { enabled: true },
    });
    expect(mesh.meshConfig).toEqual({
      trustDomain: 'cluster.local',
      rootNamespace: 'istio-system',
      enablePrometheusMerge: true,
      defaultConfig: {
        discoveryAddress: 'istiod.istio-system.svc:15012',
        proxyMetadata: { PROXY_CONFIG_XDS_AGENT: 'true' },
      },
      defaultProviders: { metrics: ['prometheus'] },
    });
    expect(mesh.proxy).toEqual({
      logLevel: 'warning',
      componentLogLevel: 'misc:error',
      clusterDomain: 'cluster.local',
      readiness: { initialDelaySeconds: 0, periodSeconds: 15, failureThreshold: 4 },
    });
  });

  it('gives istiod the defaults that its chart has', () => {
    const { service, ...pilot } = resolveMesh(aMeshOperator()).pilot;

    expect(service.spec).toEqual({});
    expect(service.ports.map(({ port, targetPort }) => [port, targetPort])).toEqual([
      [15010, 15010],
      [15012, 15012],
      [443, 15017],
      [15014, 15014],
    ]);
    expect(pilot).toEqual({
      enabled: true,
      image: 'registry.istio.io/release/pilot:1.31.1',
      resources: { requests: { cpu: '500m', memory: '2048Mi' } },
      hpaSpec: {
        minReplicas: 1,
        maxReplicas: 5,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
          },
        ],
      },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '100%', maxUnavailable: '25%' } },
      env: [],
      nodeSelector: {},
      tolerations: [],
      topologySpreadConstraints: [],
      podAnnotations: {},
      podLabels: {},
      serviceAnnotations: {},
      extraArgs: [],
      logLevel: 'default:info',
      logAsJson: false,
      keepaliveMaxServerConnectionAge: '30m',
      traceSampling: 1,
    });
  });

  it('gives the default profile one ingress gateway that listens on the ports of its Service', () => {
    const [gateway, ...others] = resolveMesh(aMeshOperator()).gateways;

    expect(others).toEqual([]);
    expect(gateway).toMatchObject({
      name: 'istio-ingressgateway',
      namespace: 'istio-system',
      selector: { app: 'istio-ingressgateway', istio: 'ingressgateway' },
      labels: {},
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '2000m', memory: '1024Mi' } },
    });
    expect(gateway?.service).toEqual({
      type: 'LoadBalancer',
      ports: [
        { name: 'status-port', port: 15021, targetPort: 15021, protocol: 'TCP' },
        { name: 'http2', port: 80, targetPort: 80, protocol: 'TCP' },
        { name: 'https', port: 443, targetPort: 443, protocol: 'TCP' },
      ],
      spec: {},
    });
  });

  it('gives the same output for the same input, and leaves the input as it is', () => {
    const mesh = aMeshOperatorFromYaml(
      '{ profile: demo, components: { pilot: { k8s: { replicaCount: 2 } } } }',
    );
    const before = structuredClone(mesh);

    const first = resolveMesh(mesh);

    expect(resolveMesh(mesh)).toEqual(first);
    expect(mesh).toEqual(before);
  });

  it('shares nothing that can change with the spec', () => {
    const mesh = aMeshOperator({ meshConfig: { extensionProviders: [{ name: 'one' }] } });

    const { meshConfig } = resolveMesh(mesh);
    (meshConfig.extensionProviders as { name: string }[])[0] = { name: 'two' };

    expect(mesh.spec?.meshConfig).toEqual({ extensionProviders: [{ name: 'one' }] });
  });

  it('refuses an invalid spec with every problem in one terminal error', () => {
    const mesh = aMeshOperatorFromYaml('{ profil: demo, version: "1.2" }');

    expect(() => resolveMesh(mesh)).toThrow(TerminalError);
    expect(() => resolveMesh(mesh)).toThrow(
      /^spec\.profil: is not a field \(did you mean "profile"\?\); spec\.version: 1\.2 is not supported/,
    );
    try {
      resolveMesh(mesh);
    } catch (error) {
      expect(error).toMatchObject({ reason: 'InvalidSpec' });
    }
  });

  it.each(['mesh', 'minimal', 'revisioned'])('takes examples/%s.yaml', (name) => {
    const mesh = load(readFileSync(`examples/${name}.yaml`, 'utf8')) as MeshOperator;

    expect(resolveMesh(mesh).namespace).toBe('istio-system');
  });
});

describe('version, hub and tag', () => {
  it.each([
    { spec: 'version: "1.30"', image: 'registry.istio.io/release/pilot:1.30.3' },
    { spec: 'version: 1.30-latest', image: 'registry.istio.io/release/pilot:1.30.3' },
    { spec: 'version: 1.30.1', image: 'registry.istio.io/release/pilot:1.30.1' },
    { spec: '{ hub: r.example.com/i, tag: 1.31.0-patched }', image: 'r.example.com/i/pilot:1.31.0-patched' },
    { spec: 'values: { global: { hub: r.example.com/g, tag: mine } }', image: 'r.example.com/g/pilot:mine' },
    {
      spec: '{ tag: mine, values: { pilot: { tag: other } } }',
      image: 'registry.istio.io/release/pilot:other',
    },
    { spec: 'values: { pilot: { hub: r.example.com/p } }', image: 'r.example.com/p/pilot:1.31.1' },
    { spec: 'values: { pilot: { image: r.example.com/x/istiod:7 } }', image: 'r.example.com/x/istiod:7' },
    {
      spec: 'values: { global: { variant: distroless } }',
      image: 'registry.istio.io/release/pilot:1.31.1-distroless',
    },
    {
      spec: '{ tag: 1.31.1-distroless, values: { global: { variant: distroless } } }',
      image: 'registry.istio.io/release/pilot:1.31.1-distroless',
    },
    {
      spec: 'values: { global: { variant: distroless }, pilot: { variant: debug } }',
      image: 'registry.istio.io/release/pilot:1.31.1-debug',
    },
  ])('$spec runs $image', ({ spec, image }) => {
    expect(resolve(spec).pilot.image).toBe(image);
  });

  it('takes the proxy image from the values of all proxies', () => {
    const spec = 'values: { global: { proxy: { image: r.example.com/proxy:9 } } }';

    expect(resolve(spec).injection.image).toBe('r.example.com/proxy:9');
  });

  it('collects pull secrets from both places once', () => {
    const spec = '{ imagePullSecrets: [a, b], values: { global: { imagePullSecrets: [b, c] } } }';

    expect(resolve(spec).imagePullSecrets).toEqual(['a', 'b', 'c']);
  });
});

describe('profiles', () => {
  it('minimal has istiod and no gateway', () => {
    const mesh = resolve('profile: minimal');

    expect(mesh.pilot.enabled).toBe(true);
    expect(mesh.gateways).toEqual([]);
  });

  it('empty has nothing until the spec names it', () => {
    const nothing = resolve('profile: empty');
    const named = resolve(
      '{ profile: empty, components: { base: {}, pilot: {}, ingressGateways: [{ name: g }] } }',
    );

    expect(nothing).toMatchObject({
      base: { enabled: false },
      pilot: { enabled: false },
      gateways: [],
    });
    expect(named).toMatchObject({ base: { enabled: true }, pilot: { enabled: true } });
    expect(named.gateways.map(({ name }) => name)).toEqual(['g']);
  });

  it('demo is small, logs and traces everything, and the spec wins over it', () => {
    const demo = resolve('profile: demo');
    const changed = resolve(
      '{ profile: demo, values: { pilot: { traceSampling: 5, autoscaleEnabled: true } } }',
    );

    expect(demo.pilot).toMatchObject({
      replicas: 1,
      traceSampling: 100,
      resources: { requests: { cpu: '10m', memory: '100Mi' } },
    });
    expect(demo.pilot.hpaSpec).toBeUndefined();
    expect(demo.meshConfig.accessLogFile).toBe('/dev/stdout');
    expect(demo.gateways[0]?.service.ports.map(({ port }) => port)).toEqual([15021, 80, 443, 31400, 15443]);
    expect(demo.gateways.map(({ name }) => name)).toEqual(['istio-ingressgateway', 'istio-egressgateway']);
    for (const gateway of demo.gateways) {
      expect(gateway).toMatchObject({ replicas: 1, resources: { requests: { cpu: '10m' } } });
    }
    expect(changed.pilot.traceSampling).toBe(5);
    expect(changed.pilot.hpaSpec).toMatchObject({ maxReplicas: 5 });
  });

  it('a component that is turned off stays off', () => {
    const mesh = resolve(
      'components: { base: { enabled: false }, pilot: { enabled: false }, ingressGateways: [{ name: g, enabled: false }] }',
    );

    expect(mesh).toMatchObject({ base: { enabled: false }, pilot: { enabled: false }, gateways: [] });
  });
});

describe('mesh configuration', () => {
  it('names the revisioned istiod', () => {
    expect(resolve('revision: canary').meshConfig.defaultConfig).toEqual({
      discoveryAddress: 'istiod-canary.istio-system.svc:15012',
      proxyMetadata: { PROXY_CONFIG_XDS_AGENT: 'true' },
    });
  });

  it('merges objects key by key and replaces lists: defaults, profile, meshConfig, values', () => {
    const { meshConfig } = resolve(`
profile: demo
meshConfig:
  accessLogFile: /tmp/log
  accessLogEncoding: JSON
  trustDomain: example.org
  extensionProviders: [{ name: mine, prometheus: {} }]
  defaultConfig: { concurrency: 2 }
values:
  meshConfig: { accessLogEncoding: TEXT, defaultConfig: { drainDuration: 10s } }
`);

    expect(meshConfig).toMatchObject({
      accessLogFile: '/tmp/log',
      accessLogEncoding: 'TEXT',
      trustDomain: 'example.org',
      extensionProviders: [{ name: 'mine', prometheus: {} }],
      defaultConfig: {
        concurrency: 2,
        drainDuration: '10s',
        discoveryAddress: 'istiod.istio-system.svc:15012',
      },
    });
  });

  it('takes a default away with null', () => {
    expect(resolve('{ profile: demo, meshConfig: { accessLogFile: null } }').meshConfig).not.toHaveProperty(
      'accessLogFile',
    );
  });

  it('leaves the default metrics provider out when the user names any provider', () => {
    const { meshConfig } = resolve('meshConfig: { defaultProviders: { tracing: [otel] } }');

    expect(meshConfig.defaultProviders).toEqual({ tracing: ['otel'] });
  });

  it('carries the topology of a mesh of several clusters', () => {
    const mesh = resolve(`
values:
  global:
    meshID: mesh1
    network: net1
    multiCluster: { clusterName: east }
    meshNetworks: { net2: { gateways: [{ address: 10.0.0.1, port: 15443 }] } }
`);

    expect(mesh).toMatchObject({ meshId: 'mesh1', network: 'net1', clusterId: 'east' });
    expect(mesh.meshConfig.defaultConfig).toMatchObject({ meshId: 'mesh1' });
    expect(mesh.meshNetworks).toEqual({
      networks: { net2: { gateways: [{ address: '10.0.0.1', port: 15443 }] } },
    });
  });
});

describe('workload settings', () => {
  it('merges resources key by key: defaults, values, k8s', () => {
    const { pilot } = resolve(`
values: { pilot: { resources: { requests: { cpu: 1 }, limits: { cpu: 2 } } } }
components: { pilot: { k8s: { resources: { limits: { cpu: 3, memory: 4Gi } } } } }
`);

    expect(pilot.resources).toEqual({
      requests: { cpu: 1, memory: '2048Mi' },
      limits: { cpu: 3, memory: '4Gi' },
    });
  });

  it('puts the environment of k8s over that of values, by name', () => {
    const { pilot } = resolve(`
values: { pilot: { env: { B: "1", A: "1" } } }
components: { pilot: { k8s: { env: [{ name: C, value: "2" }, { name: B, value: "2" }] } } }
`);

    expect(pilot.env).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
      { name: 'C', value: '2' },
    ]);
  });

  it('replaces lists such as tolerations as a whole', () => {
    const { pilot } = resolve(`
values: { pilot: { tolerations: [{ key: a, operator: Exists }] } }
components: { pilot: { k8s: { tolerations: [{ key: b, operator: Exists }] } } }
`);

    expect(pilot.tolerations).toEqual([{ key: 'b', operator: 'Exists' }]);
  });

  it('takes priority class and pull policy of all components unless one has its own', () => {
    const mesh = resolve(`
values: { global: { priorityClassName: high, imagePullPolicy: Always } }
components: { pilot: { k8s: { priorityClassName: highest } } }
`);

    expect(mesh.pilot).toMatchObject({ priorityClassName: 'highest', imagePullPolicy: 'Always' });
    expect(mesh.gateways[0]).toMatchObject({ priorityClassName: 'high', imagePullPolicy: 'Always' });
  });

  it('lets one rollout field be changed alone, and Recreate stand alone', () => {
    const rolling = resolveGateway('{ strategy: { rollingUpdate: { maxSurge: 1 } } }');
    const recreate = resolveGateway('{ strategy: { type: Recreate } }');

    expect(rolling.strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' },
    });
    expect(recreate.strategy).toEqual({ type: 'Recreate' });
  });

  it('keeps what it does not know of a Service for the Service', () => {
    const gateway = resolveGateway(
      '{ service: { type: NodePort, externalTrafficPolicy: Local, ports: [{ port: 80, nodePort: 30080 }] } }',
    );

    expect(gateway.service).toEqual({
      type: 'NodePort',
      ports: [{ name: 'port-80', port: 80, targetPort: 80, protocol: 'TCP', nodePort: 30080 }],
      spec: { externalTrafficPolicy: 'Local' },
    });
  });

  it('tells selector labels from other labels of a gateway', () => {
    const [gateway] = resolve(
      'components: { ingressGateways: [{ name: istio-public, label: { app: edge, team: a } }] }',
    ).gateways;

    expect(gateway?.selector).toEqual({ app: 'edge', istio: 'public' });
    expect(gateway?.labels).toEqual({ team: 'a' });
  });
});

describe('an egress gateway', () => {
  it('is reached inside the cluster alone, unless the spec says otherwise', () => {
    const [usual, public_] = resolve(
      'components: { ingressGateways: [], egressGateways: [{ name: istio-egressgateway }, { name: public, k8s: { service: { type: LoadBalancer } } }] }',
    ).gateways;

    expect(usual).toMatchObject({
      selector: { app: 'istio-egressgateway', istio: 'egressgateway' },
      service: {
        type: 'ClusterIP',
        ports: [
          { name: 'http2', port: 80, targetPort: 80, protocol: 'TCP' },
          { name: 'https', port: 443, targetPort: 443, protocol: 'TCP' },
        ],
      },
      hpaSpec: { minReplicas: 1, maxReplicas: 5 },
    });
    expect(public_?.service.type).toBe('LoadBalancer');
  });
});

describe('an east-west gateway', () => {
  const gateways = (text: string, network = '') =>
    resolve(
      `values: { global: { network: '${network}' } }\ncomponents: { ingressGateways: [], eastWestGateways: [${text}] }`,
    ).gateways;

  it('takes traffic of other networks and of proxies that look for istiod', () => {
    const [gateway] = gateways('{ name: istio-eastwestgateway }', 'west');

    expect(gateway?.selector).toEqual({ app: 'istio-eastwestgateway', istio: 'eastwestgateway' });
    expect(gateway?.service).toMatchObject({
      type: 'LoadBalancer',
      ports: [
        { name: 'status-port', port: 15021 },
        { name: 'tls', port: 15443 },
        { name: 'tls-istiod', port: 15012 },
        { name: 'tls-webhook', port: 15017 },
      ],
    });
  });

  it.each([
    { written: '{ name: ew }', ofCluster: 'west', network: 'west' },
    { written: '{ name: ew, network: east }', ofCluster: 'west', network: 'east' },
    { written: '{ name: ew, network: east }', ofCluster: '', network: 'east' },
  ])('$written in network "$ofCluster" is the gateway of $network', ({ written, ofCluster, network }) => {
    const [gateway] = gateways(written, ofCluster);

    expect(gateway?.labels).toEqual({ 'topology.istio.io/network': network });
    expect(gateway?.env).toEqual([{ name: 'ISTIO_META_REQUESTED_NETWORK_VIEW', value: network }]);
  });

  it('of no network says nothing of networks', () => {
    const [gateway] = gateways('{ name: ew }');

    expect(gateway?.labels).toEqual({});
    expect(gateway?.env).toEqual([]);
  });

  it('lets its own environment decide which networks it sends to', () => {
    const env = 'ISTIO_META_REQUESTED_NETWORK_VIEW';
    const [gateway] = gateways(
      `{ name: ew, network: east, k8s: { env: [{ name: ${env}, value: 'east,west' }] } }`,
    );

    expect(gateway?.env).toEqual([{ name: env, value: 'east,west' }]);
  });
});

describe('number of pods', () => {
  it.each([
    { k8s: '{}', min: 1, max: 5 },
    { k8s: '{ hpaSpec: { minReplicas: 2 } }', min: 2, max: 5 },
    { k8s: '{ hpaSpec: { minReplicas: 8 } }', min: 8, max: 8 },
    { k8s: '{ hpaSpec: { maxReplicas: 3 } }', min: 1, max: 3 },
    { k8s: '{ hpaSpec: { maxReplicas: 9 }, replicaCount: 3 }', min: 3, max: 9 },
    { k8s: '{ hpaSpec: { minReplicas: 2, maxReplicas: 9 }, replicaCount: 3 }', min: 2, max: 9 },
  ])('$k8s scales from $min to $max', ({ k8s, min, max }) => {
    const gateway = resolveGateway(k8s);

    expect(gateway.hpaSpec).toMatchObject({ minReplicas: min, maxReplicas: max });
    expect(gateway.replicas).toBeUndefined();
  });

  it('is fixed by a replica count alone', () => {
    const gateway = resolveGateway('{ replicaCount: 3 }');

    expect(gateway.replicas).toBe(3);
    expect(gateway.hpaSpec).toBeUndefined();
  });

  it('follows the values of istiod', () => {
    const scaled = resolve(
      'values: { pilot: { autoscaleMin: 2, autoscaleMax: 3, memory: { targetAverageUtilization: 70 } } }',
    ).pilot;
    const fixed = resolve('values: { pilot: { autoscaleEnabled: false, replicaCount: 2 } }').pilot;

    expect(scaled.hpaSpec).toMatchObject({ minReplicas: 2, maxReplicas: 3 });
    expect(scaled.hpaSpec?.metrics).toHaveLength(2);
    expect(fixed).toMatchObject({ replicas: 2, podDisruptionBudget: { minAvailable: 1 } });
  });

  it.each([
    { name: 'none for one pod', k8s: '{}', budget: undefined },
    { name: 'one for two pods', k8s: '{ replicaCount: 2 }', budget: { minAvailable: 1 } },
    {
      name: 'one for an HPA of at least two',
      k8s: '{ hpaSpec: { minReplicas: 2 } }',
      budget: { minAvailable: 1 },
    },
    {
      name: 'what the user asks for, even for one pod',
      k8s: '{ podDisruptionBudget: { maxUnavailable: 1 } }',
      budget: { maxUnavailable: 1 },
    },
    {
      name: 'the default bound when only the policy is given',
      k8s: '{ podDisruptionBudget: { unhealthyPodEvictionPolicy: AlwaysAllow } }',
      budget: { minAvailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    },
  ])('has a disruption budget: $name', ({ k8s, budget }) => {
    expect(resolveGateway(k8s).podDisruptionBudget).toEqual(budget);
  });
});
