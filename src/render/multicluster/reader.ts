import { lockConfigMaps } from '../../api/istiod-locks.ts';
import type { KubernetesObject, ObjectId, ObjectMeta } from '../../api/kubernetes-object.ts';
import { readerLabel } from '../../api/labels.ts';
import type { PolicyRule } from '../../api/policy-rule.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { istiodClusterRights, istioGroups, multiClusterServiceGroup } from '../control-plane/access.ts';
import { renderObject } from '../template-engine.ts';

/** Name of the ServiceAccount in another cluster as which the istiod of this one reads that. */
export function readerName({ clusterId }: Pick<ResolvedMesh, 'clusterId'>): string {
  return `istio-reader-${clusterId}`.slice(0, 63);
}

/** Labels of all that the mesh has in other clusters. None of ownership: the operator there must not take it for its own. */
export function readerLabels({ clusterId }: Pick<ResolvedMesh, 'clusterId'>): Record<string, string> {
  return { [readerLabel]: clusterId };
}

/**
 * What this mesh has in another cluster: the identity as which its istiod reads that cluster, and what it may do there, which
 * is more in the one that it has for its own (`isConfigCluster`). In the namespace that the mesh has here, since istiod looks
 * there.
 */
export function renderReader(mesh: ResolvedMesh, isConfigCluster: boolean): KubernetesObject[] {
  const subject = { name: readerName(mesh), namespace: mesh.namespace };
  const roleName = readerRoleName(mesh);
  const labels = readerLabels(mesh);
  const metadata: ObjectMeta = { name: roleName, labels };
  const ofNamespace: ObjectMeta = { ...subject, labels };
  return [
    renderObject('workload/00-service-account', { metadata: ofNamespace, imagePullSecrets: undefined }),
    renderReaderRole(mesh, metadata, isConfigCluster),
    renderObject('workload/05-role-binding', {
      ...{ bindingKind: 'ClusterRoleBinding', metadata, roleKind: 'ClusterRole', roleName, subject },
    }),
    ...(isConfigCluster
      ? [
          renderLocksRole(ofNamespace),
          renderObject('workload/05-role-binding', {
            ...{ bindingKind: 'RoleBinding', metadata: ofNamespace, roleKind: 'Role' },
            ...{ roleName: subject.name, subject },
          }),
        ]
      : []),
  ];
}

/** What it may do, as rules of its ClusterRole. */
export function readerRules(mesh: ResolvedMesh, isConfigCluster: boolean): readonly PolicyRule[] {
  const metadata = { name: readerRoleName(mesh) };
  return renderReaderRole(mesh, metadata, isConfigCluster).rules as readonly PolicyRule[];
}

/** What it may do in the namespace of the mesh, where istiod has that cluster for its own. */
export function lockRules(mesh: Pick<ResolvedMesh, 'clusterId'>): readonly PolicyRule[] {
  return renderLocksRole({ name: readerName(mesh) }).rules as readonly PolicyRule[];
}

function renderReaderRole(
  mesh: ResolvedMesh,
  metadata: ObjectMeta,
  isConfigCluster: boolean,
): KubernetesObject {
  if (isConfigCluster) {
    return renderObject('control-plane/10-cluster-role', { metadata, ...istiodClusterRights(mesh) });
  }
  return renderObject('control-plane/11-reader-cluster-role', {
    metadata,
    istioGroups,
    multiClusterServiceGroup: multiClusterServiceGroup(mesh),
    isRemote: false,
  });
}

function renderLocksRole(metadata: ObjectMeta): KubernetesObject {
  return renderObject('multicluster/12-locks-role', { metadata, lockConfigMaps });
}

/** The same objects, in the order in which they go. */
export function readerIds(
  mesh: Pick<ResolvedMesh, 'namespace' | 'clusterId'>,
  isConfigCluster: boolean,
): ObjectId[] {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const ofCluster = { apiVersion, name: readerRoleName(mesh) };
  const ofNamespace = { namespace: mesh.namespace, name: readerName(mesh) };
  return [
    ...(isConfigCluster ? ['RoleBinding', 'Role'].map((kind) => ({ apiVersion, kind, ...ofNamespace })) : []),
    { ...ofCluster, kind: 'ClusterRoleBinding' },
    { ...ofCluster, kind: 'ClusterRole' },
    { apiVersion: 'v1', kind: 'ServiceAccount', ...ofNamespace },
  ];
}

/** Name of its ClusterRole, and of the binding of that. */
export function readerRoleName(mesh: Pick<ResolvedMesh, 'namespace' | 'clusterId'>): string {
  return `${readerName(mesh)}-${mesh.namespace}`;
}
