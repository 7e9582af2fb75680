import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import type { MultiCluster } from '../../api/spec/multi-cluster.ts';
import type { RemoteFacts } from '../../controllers/remotes/probe-remote.ts';
import { injectionLabels } from './analysis-input.ts';

/** One of the clusters of a mesh, as they are compared. */
export interface ComparedCluster {
  /** As findings call it: the name that it has in the mesh, where that is known. */
  readonly name: string;
  /** Who it is, as the operator of another cluster would find. */
  readonly facts: RemoteFacts;
  readonly namespaces: readonly KubernetesObject[];
  readonly services: readonly KubernetesObject[];
  /** Objects of Istio's kinds. */
  readonly istioObjects: readonly KubernetesObject[];
}

/** Its place in the mesh, by its own MeshOperators; undefined where it has none that is part of several clusters. */
export function placeInMesh({ meshes }: RemoteFacts): Partial<MultiCluster> | undefined {
  const [mesh] = meshes as unknown as readonly MeshOperator[];
  return mesh?.spec?.multiCluster;
}

/** What some clusters have in common, and which these are. */
export interface Group<Value> {
  readonly value: Value;
  readonly clusters: readonly string[];
}

/** The clusters by what `read` says of each, those without a value left out. */
export function groupsBy<Cluster extends { readonly name: string }, Value>(
  clusters: readonly Cluster[],
  read: (cluster: Cluster) => Value | undefined,
): Group<Value>[] {
  const groups = new Map<string, { value: Value; clusters: string[] }>();
  for (const cluster of clusters) {
    const value = read(cluster);
    if (value === undefined) continue;
    const key = JSON.stringify(value);
    const group = groups.get(key) ?? { value, clusters: [] };
    group.clusters.push(cluster.name);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** `STRICT in east and north, PERMISSIVE in west` */
export function groupsText<Value>(
  groups: readonly Group<Value>[],
  textOf: (value: Value) => string = String,
): string {
  return groups.map(({ value, clusters }) => `${textOf(value)} in ${listText(clusters)}`).join(', ');
}

/** `east, north and west` */
export function listText(texts: readonly string[]): string {
  const [last, ...others] = [...texts].reverse();
  return others.length === 0 ? (last ?? '') : `${others.reverse().join(', ')} and ${last}`;
}

const dataPlaneLabel = 'istio.io/dataplane-mode';

/** Who takes the traffic of pods in a namespace that say nothing themselves. */
export type DataPlaneMode = 'sidecars' | 'ztunnel' | 'nobody';

/** By the labels of a namespace, as Istio reads them. */
export function dataPlaneMode(namespace: KubernetesObject): DataPlaneMode {
  const { legacy, revision } = injectionLabels(namespace);
  if (legacy === 'enabled' || (legacy === undefined && revision !== undefined)) return 'sidecars';
  return namespace.metadata.labels?.[dataPlaneLabel] === 'ambient' ? 'ztunnel' : 'nobody';
}
