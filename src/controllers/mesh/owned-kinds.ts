import { type KindInfo, kindInfo } from '../../api/kinds.ts';

/**
 * The kinds of everything a mesh consists of: each is watched, and nothing of another kind is rendered
 * (a test compares). Istio's CRDs belong to the cluster and are watched apart.
 */
export const ownedKinds: readonly KindInfo[] = [
  kindInfo('v1', 'ServiceAccount'),
  kindInfo('v1', 'ConfigMap'),
  kindInfo('v1', 'Service'),
  kindInfo('apps/v1', 'Deployment'),
  kindInfo('autoscaling/v2', 'HorizontalPodAutoscaler'),
  kindInfo('policy/v1', 'PodDisruptionBudget'),
  kindInfo('rbac.authorization.k8s.io/v1', 'ClusterRole'),
  kindInfo('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'),
  kindInfo('rbac.authorization.k8s.io/v1', 'Role'),
  kindInfo('rbac.authorization.k8s.io/v1', 'RoleBinding'),
  kindInfo('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'),
  kindInfo('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'),
];
