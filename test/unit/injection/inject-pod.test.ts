import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import type { JsonObject } from '../../../src/api/resolved-mesh.ts';
import { injectPod } from '../../../src/injection/inject-pod.ts';
import type { InjectionInput } from '../../../src/injection/injection-input.ts';
import type { Pod } from '../../../src/injection/pod.ts';
import { anInput, aPod } from '../../support/injection-input.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { renderAll } from '../../support/rendered-objects.ts';
import { aResolvedMesh } from '../../support/resolved-mesh.ts';

const spireMesh = resolveMesh(aMeshOperator({ certificateAuthority: { provider: 'Spire' } }));

function injected(fields: Partial<InjectionInput>): Pod {
  const outcome = injectPod(anInput(fields));
  if (outcome.kind !== 'inject') throw new Error(outcome.explanation);
  return outcome.pod;
}

const envOf = (pod: Pod, name: string) =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
    .find((container) => container.name === 'istio-proxy')
    ?.env?.find((entry) => entry.name === name)?.value;

describe('injection for an older minor', () => {
  it('announces no port that its agent does not serve', () => {
    const proxyMetadata = { ENVOY_SECURE_MERGED_METRICS_PORT: '15091' };
    const announced = ['1.31', '1.30', '1.29'].map((version) => {
      const mesh = resolveMesh(aMeshOperator({ version, meshConfig: { defaultConfig: { proxyMetadata } } }));
      return injected({ mesh }).metadata.annotations?.['prometheus.istio.io/secure-port'];
    });

    expect(announced).toEqual(['15091', undefined, undefined]);
  });
});

describe('a second injection', () => {
  it.each([
    ['beside the application', 35, 30],
    ['among the init containers', 30, 35],
  ])('puts the proxy %s when that is where it belongs now', (_name, before, after) => {
    const first = injected({ kubernetesMinor: before });

    expect(injected({ pod: first, kubernetesMinor: after }).spec).toEqual(
      injected({ kubernetesMinor: after }).spec,
    );
  });

  it.each([
    [35, 30],
    [30, 35],
  ])('keeps what the first one knew about probes and metrics: 1.%i, then 1.%i', (before, after) => {
    const app = { name: 'app', image: 'x', readinessProbe: { httpGet: { port: 80, path: '/ready' } } };
    const pod = aPod({
      metadata: { annotations: { 'prometheus.io/port': '9102' } },
      spec: { containers: [app] },
    });
    const fresh = injected({ pod, kubernetesMinor: after });
    const again = injected({ pod: injected({ pod, kubernetesMinor: before }), kubernetesMinor: after });

    for (const name of ['ISTIO_KUBE_APP_PROBERS', 'ISTIO_PROMETHEUS_ANNOTATIONS']) {
      expect(envOf(again, name)).toBeDefined();
      expect(envOf(again, name)).toBe(envOf(fresh, name));
    }
    expect(again.metadata).toEqual(fresh.metadata);
  });

  it('brings what the mesh has become', () => {
    const mesh = aResolvedMesh({ tag: '1.31.9' });

    expect(injected({ pod: injected({}), mesh })).toEqual(injected({ mesh }));
  });

  it.each([30, 35])('brings the socket of SPIRE, once the mesh has it: 1.%i', (kubernetesMinor) => {
    const stored = injected({ kubernetesMinor });
    const volumes = (stored.spec.volumes as JsonObject[]).map((volume) =>
      Object.keys(volume).length === 1 ? { ...volume, emptyDir: {} } : volume,
    );
    const pod = { ...stored, spec: { ...stored.spec, volumes } };

    const again = injected({ pod, mesh: spireMesh, kubernetesMinor });

    const socket = { name: 'workload-socket', csi: { driver: 'csi.spiffe.io', readOnly: true } };
    expect(again.spec.volumes).toContainEqual(socket);
    expect(injected({ pod: again, mesh: spireMesh, kubernetesMinor })).toEqual(again);
  });

  it('leaves what the author wrote for the proxy', () => {
    const own = {
      name: 'istio-proxy',
      image: 'registry.example.com/mine:1',
      resources: { limits: { cpu: '7' } },
    };
    const pod = aPod({ spec: { containers: [...aPod().spec.containers, own] } });

    const again = injected({ pod: injected({ pod }) });

    expect(again.spec.initContainers?.[1]).toMatchObject({
      image: own.image,
      resources: { limits: { cpu: '7' } },
    });
  });
});

describe('the environment of the proxy', () => {
  it('takes what the caller asks for, before the mesh and the author', () => {
    const own = { name: 'istio-proxy', image: 'auto', env: [{ name: 'ISTIO_META_NETWORK', value: 'own' }] };
    const pod = aPod({ spec: { containers: [...aPod().spec.containers, own] } });
    const environment = { ISTIO_META_CLUSTER_ID: 'west', ISTIO_META_NETWORK: 'net9', EXTRA: '1' };
    const result = injected({
      pod,
      environment,
      mesh: aResolvedMesh({ network: 'net1', clusterId: 'east' }),
    });

    expect(envOf(result, 'ISTIO_META_CLUSTER_ID')).toBe('west');
    expect(envOf(result, 'ISTIO_META_NETWORK')).toBe('net9');
    expect(envOf(result, 'EXTRA')).toBe('1');
    expect(result.metadata.labels?.['topology.istio.io/network']).toBe('net9');
  });

  it('merges ProxyConfig resources by how closely they are meant', () => {
    const resource = (namespace: string, value: string, selector?: Record<string, string>) => ({
      namespace,
      creationTimestamp: '2026-01-01T00:00:00Z',
      environmentVariables: { A: value, [`FROM_${value}`]: '1' },
      ...(selector === undefined ? {} : { selector }),
    });
    const pod = aPod({
      metadata: { annotations: { 'proxy.istio.io/config': 'proxyMetadata: {A: annotation, B: b}' } },
    });
    const proxyConfigs = [
      resource('istio-system', 'ROOT'),
      resource('apps', 'NAMESPACE'),
      resource('other', 'OTHER'),
      resource('apps', 'NOT', { app: 'else' }),
    ];
    const closest = [...proxyConfigs, resource('apps', 'SELECTED', { app: 'hello' })];

    expect(envOf(injected({ proxyConfigs }), 'A')).toBe('NAMESPACE');
    expect(envOf(injected({ pod, proxyConfigs }), 'A')).toBe('annotation');
    const selected = injected({ pod, proxyConfigs: closest });
    expect(
      ['A', 'B', 'FROM_ROOT', 'FROM_NAMESPACE', 'FROM_OTHER', 'FROM_NOT'].map((name) =>
        envOf(selected, name),
      ),
    ).toEqual(['SELECTED', 'b', '1', '1', undefined, undefined]);
  });
});

describe('resources and threads of a proxy', () => {
  const mesh = resolveMesh(
    aMeshOperator({
      meshConfig: { defaultConfig: { concurrency: 4 } },
      values: { global: { proxy: { resources: { requests: { memory: '200Mi' } } } } },
      sidecarInjector: {
        proxyDefaults: [
          { namespaces: ['shop', 'pay'], resources: { requests: { cpu: '20m' } }, concurrency: 1 },
          { namespaces: ['apps'], concurrency: 2 },
        ],
      },
    }),
  );
  const limits = { cpu: '2000m', memory: '1024Mi' };
  const ofMesh = { requests: { cpu: '100m', memory: '200Mi' }, limits };
  const ofShop = { requests: { cpu: '20m', memory: '200Mi' }, limits };

  it.each([
    ['those of the mesh where the namespace has none', 'other', {}, ofMesh, 4],
    ['those of the mesh in a namespace that is called as any object is built', 'constructor', {}, ofMesh, 4],
    ['those of the namespace over those of the mesh', 'shop', {}, ofShop, 1],
    ['those of the namespace for each of its entry', 'pay', {}, ofShop, 1],
    ['those of the mesh where the namespace sets threads alone', 'apps', {}, ofMesh, 2],
    [
      'those of the annotation alone, whatever the namespace says',
      'shop',
      { 'sidecar.istio.io/proxyMemory': '64Mi', 'proxy.istio.io/config': 'concurrency: 3' },
      { requests: { memory: '64Mi' } },
      3,
    ],
  ])('are %s', (_what, namespace, annotations, resources, concurrency) => {
    const pod = injected({
      mesh,
      namespace: { name: namespace },
      pod: aPod({ metadata: { annotations } }),
    });

    const proxy = pod.spec.initContainers?.find(({ name }) => name === 'istio-proxy');
    expect(proxy?.resources).toEqual(resources);
    expect(JSON.parse(envOf(pod, 'PROXY_CONFIG') ?? '{}')).toMatchObject({ concurrency });
  });

  it('of the gateways of the mesh are not those of their namespace', () => {
    const components = { ingressGateways: [{ name: 'public', namespace: 'shop' }] };
    const proxyDefaults = [{ namespaces: ['shop'], resources: { requests: { cpu: '20m' } }, concurrency: 1 }];

    const gatewayOf = (spec: MeshOperatorSpec) =>
      renderAll(resolveMesh(aMeshOperator({ components, ...spec }))).filter(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'public',
      );
    expect(gatewayOf({})).toHaveLength(1);
    expect(gatewayOf({ sidecarInjector: { proxyDefaults } })).toEqual(gatewayOf({}));
  });
});
