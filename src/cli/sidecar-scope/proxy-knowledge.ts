import { claimedNames } from '../../api/claims.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { discoveredNamespaces } from '../../controllers/trust/discovered-namespaces.ts';
import { type AnalysisInput, type ControlPlane, controlPlanes } from '../analyze/analysis-input.ts';
import { type EgressHost, importOf, type KnownHost } from './egress-host.ts';
import { type AliasHost, aliasHosts, isExportedTo, type MeshHost, meshHosts, textsIn } from './mesh-host.ts';
import { type RoutedHosts, routedHosts } from './routed-host.ts';

/** What a cluster has, as far as a Sidecar is about it. */
export interface ScopeCluster extends Pick<AnalysisInput, 'meshes' | 'namespaces' | 'pods' | 'istioObjects'> {
  readonly services: readonly KubernetesObject[];
  readonly endpointSlices: readonly KubernetesObject[];
  /** Routes of the Gateway API, `meshRouteKinds`. */
  readonly routes: readonly KubernetesObject[];
  /** Deployments, StatefulSets and DaemonSets. */
  readonly controllers: readonly KubernetesObject[];
}

/** What a control plane can tell its proxies. */
export interface MeshKnowledge {
  /** Where the control plane is, and the configuration of the whole mesh: each proxy should know these. */
  readonly rootNamespaces: readonly string[];
  readonly hosts: readonly MeshHost[];
  readonly aliases: readonly AliasHost[];
  readonly routes: readonly RoutedHosts[];
  /** Its default of `exportTo`. */
  readonly exportTo: readonly string[];
}

/** How much a proxy knows. */
export interface KnownAmount {
  readonly services: number;
  /** Outbound clusters, without those of subsets. */
  readonly clusters: number;
  /** Addresses, counted for each port. */
  readonly endpoints: number;
}

/** Of an Istio that no MeshOperator of the cluster is about. */
const usualNamespace = 'istio-system';
const usualDomain = 'cluster.local';

/** What the control plane of a revision knows; worked out when it is asked for, and once. */
export function meshKnowledge(cluster: ScopeCluster): (revision: string) => MeshKnowledge {
  const planes = controlPlanes({ ...cluster, webhooks: [], crds: undefined, kubernetesMinor: undefined });
  const known = new Map<ControlPlane | undefined, MeshKnowledge>();
  return (revision) => {
    const plane = planes.find(({ object }) => claimedNames(object).includes(revision));
    const knowledge = known.get(plane) ?? knowledgeOf(plane, cluster);
    known.set(plane, knowledge);
    return knowledge;
  };
}

/** The hosts that proxies of a namespace know when their egress has these: routes bring what they lead to. */
export function knownHosts(
  { hosts, routes, exportTo }: MeshKnowledge,
  namespace: string,
  egress: readonly EgressHost[],
): MeshHost[] {
  const imports = importOf(egress, namespace);
  const led = routeDestinations(routes, imports);
  const known = new Map<string, MeshHost>();
  for (const host of hosts) {
    const isKnown = imports(host) || led.has(host.host);
    if (isKnown && isExportedTo(host, namespace, exportTo))
      known.set(host.host, known.get(host.host) ?? host);
  }
  return [...known.values()];
}

/** What can be called by way of the routes that an egress has (Istio pilot/pkg/model/sidecar.go, collectImportedServices). */
export function routeDestinations(
  routes: readonly RoutedHosts[],
  imports: (known: KnownHost) => boolean,
): ReadonlySet<string> {
  const imported = routes.filter(({ namespace, hosts }) =>
    hosts.some((host) => imports({ namespace, host })),
  );
  return new Set(imported.flatMap(({ destinations }) => [...destinations]));
}

export function amountOf(hosts: readonly MeshHost[]): KnownAmount {
  return {
    services: hosts.length,
    clusters: hosts.reduce((sum, { clusters }) => sum + clusters, 0),
    endpoints: hosts.reduce((sum, { endpoints }) => sum + endpoints, 0),
  };
}

function knowledgeOf(plane: ControlPlane | undefined, cluster: ScopeCluster): MeshKnowledge {
  const namespace = plane?.mesh.namespace ?? usualNamespace;
  const clusterDomain = plane?.mesh.proxy.clusterDomain ?? usualDomain;
  const meshConfig = plane?.mesh.meshConfig ?? {};
  const discovered = new Set(
    plane === undefined
      ? cluster.namespaces.map(({ metadata }) => metadata.name)
      : discoveredNamespaces(plane.mesh, cluster.namespaces),
  );
  const isDiscovered = (known: { readonly namespace: string }) => discovered.has(known.namespace);
  const exportTo = textsIn(meshConfig.defaultServiceExportTo);
  const root = meshConfig.rootNamespace;
  return {
    rootNamespaces: [...new Set([namespace, typeof root === 'string' ? root : namespace])],
    hosts: meshHosts(cluster, clusterDomain).filter(isDiscovered),
    aliases: aliasHosts(cluster.services, clusterDomain),
    routes: routedHosts([...cluster.istioObjects, ...cluster.routes], clusterDomain).filter(isDiscovered),
    exportTo: exportTo.length === 0 ? ['*'] : exportTo,
  };
}
