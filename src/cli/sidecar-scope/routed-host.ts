import type { KindInfo } from '../../api/kinds.ts';
import { type KubernetesObject, keyText } from '../../api/kubernetes-object.ts';
import { recordOf, recordsIn, serviceHost, textsIn } from './mesh-host.ts';

const gatewayApiGroup = 'gateway.networking.k8s.io';

/**
 * A route of the mesh: who calls one of `hosts` may get to one of `destinations`, and metrics name the destination alone.
 * A proxy needs both, and the route, which it knows by the namespace of the route and one of its hosts.
 */
export interface RoutedHosts {
  readonly namespace: string;
  readonly hosts: readonly string[];
  readonly destinations: ReadonlySet<string>;
}

/** Kinds of the Gateway API that route calls of a Service in the mesh (Gateway API: GAMMA), with their CRDs. */
export const meshRouteKinds: readonly (KindInfo & { readonly crd: string })[] = [
  ['HTTPRoute', 'httproutes'],
  ['GRPCRoute', 'grpcroutes'],
].map(([kind = '', plural = '']) => ({
  ...{ apiVersion: `${gatewayApiGroup}/v1`, kind, plural, namespaced: true },
  crd: `${plural}.${gatewayApiGroup}`,
}));

/** The routes of sidecars: VirtualServices, and routes of the Gateway API whose parent is a Service. */
export function routedHosts(objects: readonly KubernetesObject[], clusterDomain: string): RoutedHosts[] {
  const services = objects.filter(({ kind }) => kind === 'VirtualService');
  const byName = new Map(services.map((object) => [keyText(keyOf(object)), object]));
  const isMeshRoute = ({ kind }: KubernetesObject) => meshRouteKinds.some((known) => known.kind === kind);
  return [
    ...services.filter(isForSidecars).map((object) => ofVirtualService(object, byName, clusterDomain)),
    ...objects.filter(isMeshRoute).map((object) => ofRoute(object, clusterDomain)),
  ].filter(({ hosts, destinations }) => hosts.length > 0 && destinations.size > 0);
}

/** One without hosts is a part of others (Istio: VirtualService, delegate). */
function isForSidecars({ spec }: KubernetesObject): boolean {
  const gateways = textsIn(recordOf(spec).gateways);
  return gateways.length === 0 || gateways.includes('mesh');
}

function ofVirtualService(
  object: KubernetesObject,
  byName: ReadonlyMap<string, KubernetesObject>,
  clusterDomain: string,
): RoutedHosts {
  const { namespace } = keyOf(object);
  return {
    namespace,
    hosts: textsIn(recordOf(object.spec).hosts).map((host) => fullHost(host, namespace, clusterDomain)),
    destinations: new Set([
      ...destinationsOf(object, clusterDomain),
      ...delegatesOf(object).flatMap((key) => {
        const delegate = byName.get(key);
        return delegate === undefined ? [] : destinationsOf(delegate, clusterDomain);
      }),
    ]),
  };
}

function destinationsOf(object: KubernetesObject, clusterDomain: string): string[] {
  const { namespace } = keyOf(object);
  const { http, tls, tcp } = recordOf(object.spec);
  return [http, tls, tcp]
    .flatMap(recordsIn)
    .flatMap(({ route, mirror, mirrors }) =>
      [
        ...[...recordsIn(route), ...recordsIn(mirrors)].map(({ destination }) => recordOf(destination)),
        recordOf(mirror),
      ].flatMap(({ host }) => (typeof host === 'string' ? [fullHost(host, namespace, clusterDomain)] : [])),
    );
}

function delegatesOf(object: KubernetesObject): string[] {
  return recordsIn(recordOf(object.spec).http).flatMap(({ delegate }) => {
    const { name, namespace } = recordOf(delegate);
    if (typeof name !== 'string') return [];
    return [
      keyText({ name, namespace: typeof namespace === 'string' ? namespace : keyOf(object).namespace }),
    ];
  });
}

function ofRoute(object: KubernetesObject, clusterDomain: string): RoutedHosts {
  const { namespace } = keyOf(object);
  const { parentRefs, rules } = recordOf(object.spec);
  const hostOf = ({ name, namespace: other }: Record<string, unknown>) =>
    serviceHost(String(name), typeof other === 'string' ? other : namespace, clusterDomain);
  const backends = recordsIn(rules).flatMap(({ backendRefs, filters }) => [
    ...recordsIn(backendRefs),
    ...recordsIn(filters).flatMap(({ requestMirror }) =>
      requestMirror === undefined ? [] : [recordOf(recordOf(requestMirror).backendRef)],
    ),
  ]);
  return {
    namespace,
    hosts: recordsIn(parentRefs)
      .filter(({ kind }) => kind === 'Service')
      .map(hostOf),
    destinations: new Set(backends.map(hostOf)),
  };
}

/** Istio adds its namespace to a name without a dot alone (Istio pilot/pkg/model, `ResolveShortnameToFQDN`). */
function fullHost(host: string, namespace: string, clusterDomain: string): string {
  return host.includes('.') || host.startsWith('*') ? host : serviceHost(host, namespace, clusterDomain);
}

function keyOf({ metadata: { name, namespace = '' } }: KubernetesObject) {
  return { name, namespace };
}
