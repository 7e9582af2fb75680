import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { rootConfigMapName } from '../../api/resolve-authority.ts';
import { type ResolvedMesh, revisionSuffix } from '../../api/resolved-mesh.ts';
import { configClusterOf } from '../../api/resolved-multi-cluster.ts';
import { isAtLeast } from '../../api/versions.ts';
import { type RoleBindingOptions, renderRoleBinding, renderServiceAccount } from '../access.ts';
import { literalEnv } from '../environment.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { istiodEnv } from './istiod-env.ts';
import { clusterScopedName, istiodName, revisionValidator } from './names.ts';

/** The API groups of Istio's own kinds; the ones without a kind today are read by older releases. */
export const istioGroups = [
  'config.istio.io',
  'security.istio.io',
  'networking.istio.io',
  'authentication.istio.io',
  'rbac.istio.io',
  'telemetry.istio.io',
  'extensions.istio.io',
];

/** Kinds whose status istiod writes when it analyses configuration. */
const analysedStatuses = [
  'authorizationpolicies',
  'destinationrules',
  'envoyfilters',
  'gateways',
  'peerauthentications',
  'proxyconfigs',
  'requestauthentications',
  'serviceentries',
  'sidecars',
  'telemetries',
  'virtualservices',
  'wasmplugins',
  'workloadentries',
  'workloadgroups',
].map((plural) => `${plural}/status`);

const gatewayStatuses = [
  'backendtlspolicies',
  'gatewayclasses',
  'gateways',
  'grpcroutes',
  'httproutes',
  'referencegrants',
  'tcproutes',
  'tlsroutes',
  'udproutes',
].map((plural) => `${plural}/status`);

/**
 * Who istiod is and what it may do. Rules that only a feature needs are there when istiod's environment turns
 * the feature on, so that the permission and the switch cannot disagree.
 */
export function renderIstiodAccess(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const name = istiodName(mesh);
  const account = { name, namespace: mesh.namespace };
  const clusterRole = clusterScopedName(mesh, 'istiod-clusterrole');
  const serviceAccount = renderServiceAccount(mesh, context, { ...account, component: 'istiod' });
  // In this cluster it asks for nothing.
  if (configClusterOf(mesh) !== undefined) return [serviceAccount];
  return [
    serviceAccount,
    renderObject('control-plane/10-cluster-role', {
      metadata: objectMetadata(mesh, context, { name: clusterRole, component: 'istiod' }),
      ...istiodClusterRights(mesh),
    }),
    binding(mesh, context, { roleKind: 'ClusterRole', roleName: clusterRole, subject: account }),
    renderObject('control-plane/12-role', {
      metadata: objectMetadata(mesh, context, { ...account, component: 'istiod' }),
      isTenant: mesh.tenancy !== undefined,
    }),
    binding(mesh, context, { roleKind: 'Role', roleName: name, subject: account }),
    ...(mesh.tenancy === undefined ? [] : renderMemberRole(mesh, context)),
  ];
}

/** What istiod of a tenant may write, which counts where it is bound: in its own namespace, and in members. */
function renderMemberRole(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const { trustBundleName, crlConfigMapName } = mesh.injection;
  const name = clusterScopedName(mesh, memberRole);
  return [
    renderObject('control-plane/14-member-cluster-role', {
      metadata: objectMetadata(mesh, context, { name, component: 'istiod' }),
      ...istiodClusterRights(mesh),
      bundles: [trustBundleName || rootConfigMapName, crlConfigMapName],
    }),
    renderMemberBinding(mesh, context, mesh.namespace),
  ];
}

const memberRole = 'istiod-member';

/** Lets istiod of a tenant write in one namespace. */
export function renderMemberBinding(
  mesh: ResolvedMesh,
  context: RenderContext,
  within: string,
): KubernetesObject {
  const subject = { name: istiodName(mesh), namespace: mesh.namespace };
  const roleName = clusterScopedName(mesh, memberRole);
  return binding(mesh, context, { roleKind: 'ClusterRole', roleName, subject, within });
}

/** `app.kubernetes.io/name` of what an istiod of another cluster is given. */
export const readerComponent = 'istio-reader';

/**
 * The identity by which an istiod of another cluster reads this one. Its name carries the revision, unlike
 * upstream's: two revisions in one namespace would take turns in owning one object.
 */
export function renderReaderAccess(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const subject = {
    name: `istio-reader-service-account${revisionSuffix(mesh.revision)}`,
    namespace: mesh.namespace,
  };
  const roleName = clusterScopedName(mesh, 'istio-reader-clusterrole');
  const component = readerComponent;
  return [
    renderServiceAccount(mesh, context, { ...subject, component }),
    renderObject('control-plane/11-reader-cluster-role', {
      metadata: objectMetadata(mesh, context, { name: roleName, component }),
      istioGroups,
      multiClusterServiceGroup: multiClusterServiceGroup(mesh),
      isRemote: mesh.remote !== undefined,
    }),
    renderRoleBinding(mesh, context, { roleKind: 'ClusterRole', roleName, subject, component }),
  ];
}

/** For the template of the ClusterRole of istiod, in the cluster that it has for its own. */
export function istiodClusterRights(mesh: ResolvedMesh) {
  const env = istiodEnv(mesh);
  const isOn = (name: string) => literalEnv(env, name) === 'true';
  // In another cluster, the operator there brings its roots and has the webhooks.
  const isOfWholeCluster = mesh.tenancy === undefined && configClusterOf(mesh) === undefined;
  // ListenerSet left the experimental API group after 1.29.
  const hasExperimentalListenerSets = !isAtLeast(mesh.version, '1.30');
  return {
    istioGroups,
    analysedStatuses,
    gatewayStatuses: hasExperimentalListenerSets
      ? gatewayStatuses
      : [...gatewayStatuses, 'listenersets/status'],
    experimentalGatewayStatuses: [
      'xbackendtrafficpolicies/status',
      ...(hasExperimentalListenerSets ? ['xlistenersets/status'] : []),
    ],
    multiClusterServiceGroup: multiClusterServiceGroup(mesh),
    isTenant: mesh.tenancy !== undefined,
    bringsRoots: isOfWholeCluster,
    writesWebhooks: isOfWholeCluster,
    validator: clusterScopedName(mesh, revisionValidator),
    analysis: isOn('PILOT_ENABLE_ANALYSIS'),
    nodeUntaint: isOn('PILOT_ENABLE_NODE_UNTAINT_CONTROLLERS'),
  };
}

export function multiClusterServiceGroup({ pilot }: Pick<ResolvedMesh, 'pilot'>): string {
  return literalEnv(pilot.env, 'MCS_API_GROUP') ?? 'multicluster.x-k8s.io';
}

function binding(
  mesh: ResolvedMesh,
  context: RenderContext,
  options: Omit<RoleBindingOptions, 'component'>,
): KubernetesObject {
  return renderRoleBinding(mesh, context, { ...options, component: 'istiod' });
}
