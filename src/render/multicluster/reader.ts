import type { KubernetesObject, ObjectId, ObjectMeta } from '../../api/kubernetes-object.ts';
import { readerLabel } from '../../api/labels.ts';
import type { PolicyRule } from '../../api/policy-rule.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { istioGroups, multiClusterServiceGroup } from '../control-plane/access.ts';
import { renderObject } from '../template-engine.ts';

/** What is known of a mesh whose istiod reads other clusters. */
export type ReadingMesh = Pick<ResolvedMesh, 'namespace' | 'clusterId' | 'pilot'>;

/** Name of the ServiceAccount in another cluster as which the istiod of this one reads that. */
export function readerName({ clusterId }: Pick<ResolvedMesh, 'clusterId'>): string {
  return `istio-reader-${clusterId}`.slice(0, 63);
}

/** Labels of all that the mesh has in other clusters. None of ownership: the operator there must not take it for its own. */
export function readerLabels({ clusterId }: Pick<ResolvedMesh, 'clusterId'>): Record<string, string> {
  return { [readerLabel]: clusterId };
}

/**
 * What this mesh has in each other cluster: the identity as which its istiod reads that cluster, and what it may read. In
 * the namespace that the mesh has here, since istiod looks there.
 */
export function renderReader(mesh: ReadingMesh): KubernetesObject[] {
  const subject = { name: readerName(mesh), namespace: mesh.namespace };
  const roleName = readerRoleName(mesh);
  const labels = readerLabels(mesh);
  const metadata: ObjectMeta = { name: roleName, labels };
  return [
    renderObject('workload/00-service-account', {
      metadata: { ...subject, labels },
      imagePullSecrets: undefined,
    }),
    renderReaderRole(mesh, metadata),
    renderObject('workload/05-role-binding', {
      ...{ bindingKind: 'ClusterRoleBinding', metadata, roleKind: 'ClusterRole', roleName, subject },
    }),
  ];
}

/** What it may read, as rules of its ClusterRole. */
export function readerRules(mesh: ReadingMesh): readonly PolicyRule[] {
  return renderReaderRole(mesh, { name: readerRoleName(mesh) }).rules as readonly PolicyRule[];
}

function renderReaderRole(mesh: ReadingMesh, metadata: ObjectMeta): KubernetesObject {
  return renderObject('control-plane/11-reader-cluster-role', {
    metadata,
    istioGroups,
    multiClusterServiceGroup: multiClusterServiceGroup(mesh),
    isRemote: false,
  });
}

/** The same objects, in the order in which they go. */
export function readerIds(mesh: Pick<ResolvedMesh, 'namespace' | 'clusterId'>): ObjectId[] {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', name: readerRoleName(mesh) };
  return [
    { ...rbac, kind: 'ClusterRoleBinding' },
    { ...rbac, kind: 'ClusterRole' },
    { apiVersion: 'v1', kind: 'ServiceAccount', namespace: mesh.namespace, name: readerName(mesh) },
  ];
}

/** Name of its ClusterRole, and of the binding of that. */
export function readerRoleName(mesh: Pick<ResolvedMesh, 'namespace' | 'clusterId'>): string {
  return `${readerName(mesh)}-${mesh.namespace}`;
}
