import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { ObservedCall, ObservedTraffic } from '../../src/cli/sidecar-scope/observed-traffic.ts';
import type { ScopeCluster } from '../../src/cli/sidecar-scope/proxy-knowledge.ts';

/** The window of `aTraffic`. */
export const scopeWindow = {
  from: new Date('2026-01-01T00:00:00Z'),
  to: new Date('2026-01-08T00:00:00Z'),
} as const;

/** A Deployment with one pod that has a sidecar, both with label `app`. */
export function aScopedWorkload(
  namespace: string,
  name: string,
  selector: object = { matchLabels: { app: name } },
): { readonly pod: KubernetesObject; readonly controller: KubernetesObject } {
  const hash = '5d8f';
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: `${name}-${hash}`,
    uid: 'u',
    controller: true,
  };
  return {
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...{ namespace, name: `${name}-${hash}-a`, generateName: `${name}-${hash}-` },
        labels: { app: name, 'pod-template-hash': hash },
        ownerReferences: [owner],
      },
      spec: { containers: [{ name: 'app' }, { name: 'istio-proxy', args: ['proxy', 'sidecar'] }] },
      status: { phase: 'Running' },
    },
    controller: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace, name },
      spec: { selector },
    },
  };
}

/** A Service with one port, and one address. */
export function aScopedService(
  namespace: string,
  name: string,
  spec: object = { ports: [{ port: 80 }] },
  annotations: Record<string, string> = {},
): { readonly service: KubernetesObject; readonly slice: KubernetesObject } {
  const labels = { 'kubernetes.io/service-name': name };
  return {
    service: { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name, annotations }, spec },
    slice: {
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
      metadata: { namespace, name: `${name}-a`, labels },
      endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
      ports: [{ port: 80 }],
    },
  };
}

/** A cluster of these; namespaces are those of its objects, and of the control plane. */
export function aScopeCluster(parts: {
  readonly workloads?: readonly ReturnType<typeof aScopedWorkload>[];
  readonly services?: readonly ReturnType<typeof aScopedService>[];
  readonly meshes?: readonly KubernetesObject[];
  readonly istioObjects?: readonly KubernetesObject[];
  readonly routes?: readonly KubernetesObject[];
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}): ScopeCluster {
  const {
    workloads = [],
    services = [],
    meshes = [],
    istioObjects = [],
    routes = [],
    namespaces = {},
  } = parts;
  const pods = workloads.map(({ pod }) => pod);
  const objects = [...pods, ...services.map(({ service }) => service), ...istioObjects];
  const names = new Set(['istio-system', ...objects.map(({ metadata }) => metadata.namespace ?? '')]);
  return {
    ...{ meshes, istioObjects, routes, pods },
    services: services.map(({ service }) => service),
    endpointSlices: services.map(({ slice }) => slice),
    controllers: workloads.map(({ controller }) => controller),
    namespaces: [...names].map((name) => ({
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      metadata: { name, labels: { ...namespaces[name] } },
    })),
  };
}

/** One object of Istio's networking group. */
export function anIstioObject(
  kind: 'Sidecar' | 'VirtualService' | 'ServiceEntry',
  namespace: string,
  name: string,
  spec: object,
): KubernetesObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { namespace, name }, spec };
}

/** `namespace/workload` calls `namespace/host`. */
export function aCall(from: string, to: string, count = 1): ObservedCall {
  const [source = '', workload = ''] = from.split('/');
  const [namespace = '', host = ''] = to.split('/');
  return {
    source: { namespace: source, workload },
    namespace: namespace === '' ? undefined : namespace,
    host,
    count,
  };
}

/** Calls of the whole window; all callers, and `alsoSeen` (`namespace/workload`), have metrics in all of it. */
export function aTraffic(calls: readonly ObservedCall[], alsoSeen: readonly string[] = []): ObservedTraffic {
  const names = new Set([
    ...calls.map(({ source }) => `${source.namespace}/${source.workload}`),
    ...alsoSeen,
  ]);
  const workloads = [...names].map((name) => {
    const [namespace = '', workload = ''] = name.split('/');
    return { namespace, workload, ...scopeWindow };
  });
  return { ...scopeWindow, calls, workloads };
}
