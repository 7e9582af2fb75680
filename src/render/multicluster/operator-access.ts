import type { KubernetesObject, ObjectId } from '../../api/kubernetes-object.ts';
import { operatorAccessLabel } from '../../api/labels.ts';
import type { PolicyRule } from '../../api/policy-rule.ts';
import { primaryConfigMapId } from '../../api/primary-statement.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { Right } from '../../api/right.ts';
import { trustStatementName } from '../../api/trust-statement-object.ts';
import { renderObject } from '../template-engine.ts';
import { lockRules, readerName, readerRoleName, readerRules } from './reader.ts';

/** What is known of a mesh where another cluster is looked at. */
type HomeMesh = Pick<ResolvedMesh, 'namespace' | 'clusterId'>;

/** And what names what it tells that cluster. */
type AccessMesh = HomeMesh & Pick<ResolvedMesh, 'revision'>;

/**
 * All that the operator does in another cluster for a mesh; `clusterId` is the name of the operator's own, and
 * `isConfigCluster` whether istiod has that cluster for its own. For the roles among it Kubernetes also wants what these
 * give (`readerRules`, `lockRules`).
 */
export function rightsInRemote(mesh: AccessMesh, isConfigCluster: boolean): Right[] {
  const { namespace } = mesh;
  const ofReader = { namespace, name: readerName(mesh) };
  const rbac = 'rbac.authorization.k8s.io';
  const write = ['create', 'patch', 'delete'];
  const name = readerRoleName(mesh);
  const ofPrimary = { namespace, name: primaryConfigMapId(namespace, mesh.revision).name };
  return [
    { verb: 'get', group: '', resource: 'namespaces' },
    { verb: 'list', group: '', resource: 'nodes' },
    { verb: 'get', group: '', resource: 'configmaps', namespace },
    ...write.map((verb) => ({ verb, group: '', resource: 'configmaps', ...ofPrimary })),
    ...['list', 'watch'].map((verb) => ({
      ...{ verb, group: '', resource: 'configmaps', namespace, name: trustStatementName },
    })),
    { verb: 'list', group: 'meshoperator.dev', resource: 'meshoperators' },
    ...write.map((verb) => ({ verb, group: '', resource: 'serviceaccounts', ...ofReader })),
    { verb: 'create', group: '', resource: 'serviceaccounts', subresource: 'token', ...ofReader },
    ...['list', 'create', 'delete'].map((verb) => ({ verb, group: '', resource: 'secrets', namespace })),
    ...write.map((verb) => ({ verb, group: rbac, resource: 'clusterroles', name })),
    ...write.map((verb) => ({ verb, group: rbac, resource: 'clusterrolebindings', name })),
    ...(isConfigCluster
      ? [
          ...write.map((verb) => ({ verb, group: rbac, resource: 'roles', ...ofReader })),
          ...write.map((verb) => ({ verb, group: rbac, resource: 'rolebindings', ...ofReader })),
        ]
      : []),
  ];
}

/** Name of the ServiceAccount as which the operator is in another cluster. */
export function operatorAccessName({ clusterId }: Pick<ResolvedMesh, 'clusterId'>): string {
  return `mesh-operator-${clusterId}`.slice(0, 63);
}

/**
 * Whom the operator is in another cluster, with exactly the rights that it uses there, that to renew its own token, and
 * what the reader may read: Kubernetes lets nobody give what he has not, and whoever might do so could take any right.
 */
export function renderOperatorAccess(mesh: ResolvedMesh, isConfigCluster: boolean): KubernetesObject[] {
  const { namespace, clusterId } = mesh;
  const subject = { name: operatorAccessName(mesh), namespace };
  const labels = { [operatorAccessLabel]: clusterId };
  const ownToken = {
    verb: 'create',
    group: '',
    resource: 'serviceaccounts',
    subresource: 'token',
    ...subject,
  };
  const rights = [...rightsInRemote(mesh, isConfigCluster), ownToken];
  const roleName = accessRoleName(mesh);
  const ofCluster = { name: roleName, labels };
  const ofNamespace = { name: subject.name, namespace, labels };
  const ruled = (kind: string, metadata: object, rules: readonly PolicyRule[]) =>
    renderObject('multicluster/20-access-role', { kind, metadata, rules });
  return [
    renderObject('workload/00-service-account', { metadata: ofNamespace, imagePullSecrets: undefined }),
    ruled('ClusterRole', ofCluster, [
      ...rulesOf(rights.filter((right) => right.namespace === undefined)),
      ...readerRules(mesh, isConfigCluster),
    ]),
    renderObject('workload/05-role-binding', {
      ...{
        bindingKind: 'ClusterRoleBinding',
        metadata: ofCluster,
        roleKind: 'ClusterRole',
        roleName,
        subject,
      },
    }),
    ruled('Role', ofNamespace, [
      ...rulesOf(rights.filter((right) => right.namespace !== undefined)),
      ...(isConfigCluster ? lockRules(mesh) : []),
    ]),
    renderObject('workload/05-role-binding', {
      ...{
        bindingKind: 'RoleBinding',
        metadata: ofNamespace,
        roleKind: 'Role',
        roleName: subject.name,
        subject,
      },
    }),
  ];
}

/** The same objects, in the order in which they go: who can get in, first. */
export function operatorAccessIds(mesh: HomeMesh): ObjectId[] {
  const { namespace } = mesh;
  const name = operatorAccessName(mesh);
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
  const ofCluster = { ...rbac, name: accessRoleName(mesh) };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name },
    { ...ofCluster, kind: 'ClusterRole' },
    { ...ofCluster, kind: 'ClusterRoleBinding' },
    { ...rbac, kind: 'Role', namespace, name },
    { ...rbac, kind: 'RoleBinding', namespace, name },
  ];
}

/** Name of its ClusterRole, and of the binding of that. */
function accessRoleName(mesh: HomeMesh): string {
  return `${operatorAccessName(mesh)}-${mesh.namespace}`;
}

/** PolicyRules that grant the rights, one for each kind and name. */
function rulesOf(rights: readonly Right[]): PolicyRule[] {
  const verbs = new Map<string, string[]>();
  for (const { verb, group, resource, subresource, name } of rights) {
    const rule = {
      apiGroups: [group],
      resources: [subresource === undefined ? resource : `${resource}/${subresource}`],
      ...(name === undefined ? {} : { resourceNames: [name] }),
    };
    const key = JSON.stringify(rule);
    verbs.set(key, [...(verbs.get(key) ?? []), verb]);
  }
  return [...verbs].map(([rule, allowed]) => ({ ...JSON.parse(rule), verbs: allowed }));
}
