import { type KindInfo, kindInfo } from '../../api/kinds.ts';
import { idText, type ObjectId } from '../../api/kubernetes-object.ts';

/**
 * The kinds of everything a mesh consists of: each is watched, and nothing of another kind is rendered but `optionalKinds`
 * and `unwatchedKinds` (a test compares). Istio's CRDs belong to the cluster and are watched apart.
 */
export const ownedKinds: readonly KindInfo[] = [
  kindInfo('v1', 'ServiceAccount'),
  kindInfo('v1', 'ConfigMap'),
  kindInfo('v1', 'Service'),
  kindInfo('v1', 'ResourceQuota'),
  kindInfo('v1', 'LimitRange'),
  kindInfo('apps/v1', 'Deployment'),
  kindInfo('apps/v1', 'DaemonSet'),
  kindInfo('autoscaling/v2', 'HorizontalPodAutoscaler'),
  kindInfo('policy/v1', 'PodDisruptionBudget'),
  kindInfo('networking.k8s.io/v1', 'NetworkPolicy'),
  kindInfo('rbac.authorization.k8s.io/v1', 'ClusterRole'),
  kindInfo('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'),
  kindInfo('rbac.authorization.k8s.io/v1', 'Role'),
  kindInfo('rbac.authorization.k8s.io/v1', 'RoleBinding'),
  kindInfo('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'),
  kindInfo('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'),
  kindInfo('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy'),
  kindInfo('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding'),
];

/** A kind that a CRD brings, which may not be there. */
export interface OptionalKind {
  readonly kind: KindInfo;
  /** How to do without, which follows "install what brings it, or". */
  readonly otherwise: string;
}

/** Kinds of Istio come with the first mesh that has `components.base`. */
const withoutIstio = 'set components.base.enabled in a mesh of the cluster';

/** Kinds of the Prometheus Operator. */
const withoutPrometheusOperator = 'take spec.telemetry.monitoring away';

/** Watched while the cluster has them and a mesh has used one; a mesh that needs one waits for its CRD, without asking for it. */
export const optionalKinds: readonly OptionalKind[] = [
  { kind: kindInfo('security.istio.io/v1', 'PeerAuthentication'), otherwise: withoutIstio },
  { kind: kindInfo('security.istio.io/v1', 'RequestAuthentication'), otherwise: withoutIstio },
  { kind: kindInfo('security.istio.io/v1', 'AuthorizationPolicy'), otherwise: withoutIstio },
  { kind: kindInfo('telemetry.istio.io/v1', 'Telemetry'), otherwise: withoutIstio },
  { kind: kindInfo('networking.istio.io/v1', 'ServiceEntry'), otherwise: withoutIstio },
  { kind: kindInfo('networking.istio.io/v1', 'Gateway'), otherwise: withoutIstio },
  { kind: kindInfo('networking.istio.io/v1', 'VirtualService'), otherwise: withoutIstio },
  {
    kind: kindInfo('k8s.cni.cncf.io/v1', 'NetworkAttachmentDefinition'),
    otherwise: 'set values.cni.provider to default',
  },
  { kind: kindInfo('monitoring.coreos.com/v1', 'ServiceMonitor'), otherwise: withoutPrometheusOperator },
  { kind: kindInfo('monitoring.coreos.com/v1', 'PodMonitor'), otherwise: withoutPrometheusOperator },
  {
    kind: kindInfo('monitoring.coreos.com/v1', 'PrometheusRule'),
    otherwise: 'set spec.telemetry.monitoring.alerts.enabled to false',
  },
];

/** The row of a kind that may not be there; undefined for one that every cluster has. */
export function optionalKind(id: {
  readonly apiVersion: string;
  readonly kind: string;
}): OptionalKind | undefined {
  return optionalKinds.find(({ kind }) => kind.apiVersion === id.apiVersion && kind.kind === id.kind);
}

/** What a person reads of an object whose kind the cluster does not have. */
export function missingKindMessage(id: ObjectId, { otherwise }: OptionalKind): string {
  return `The cluster has no kind ${id.kind} of ${id.apiVersion}, so ${idText(id)} cannot be made: install what brings it, or ${otherwise}`;
}

/**
 * Kinds that are not watched: Kubernetes gives slices of its own the labels of our Services. An object of one is asked for
 * by its name in each pass of a mesh that has it, and nothing wakes the mesh when somebody changes it.
 */
export const unwatchedKinds: readonly KindInfo[] = [kindInfo('discovery.k8s.io/v1', 'EndpointSlice')];

/** True for a kind that no cache knows. */
export function isUnwatched(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return unwatchedKinds.some(
    ({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind,
  );
}
