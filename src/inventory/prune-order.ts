import type { ObjectId } from '../api/kubernetes-object.ts';
import { cniDaemonSetName } from '../api/node-components.ts';

type Stage = (id: ObjectId) => boolean;

const ofKind =
  (...kinds: readonly string[]): Stage =>
  ({ kind }) =>
    kinds.includes(kind);

/** Kinds that no other stage names go here. */
const workloads: Stage = () => true;

/** True for what API servers act by for as long as it is there. */
export const isWebhookConfiguration = ofKind(
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
);

const isAdmissionPolicy = ofKind('ValidatingAdmissionPolicyBinding', 'ValidatingAdmissionPolicy');

/**
 * What goes first when objects are removed: an object is in the first stage that takes it. Webhooks go before what answers
 * them, or they block the API server; proxies of nodes before the agent that has traffic sent to them, and that before
 * istiod; identities and roles go last, so that a pod never outlives its rights.
 */
const stages: readonly Stage[] = [
  (id) => isWebhookConfiguration(id) || isAdmissionPolicy(id),
  ofKind('HorizontalPodAutoscaler', 'PodDisruptionBudget'),
  ({ kind, name }) => kind === 'DaemonSet' && name !== cniDaemonSetName,
  ofKind('DaemonSet'),
  workloads,
  ofKind('ConfigMap', 'Secret'),
  ofKind('ClusterRoleBinding', 'RoleBinding'),
  ofKind('ClusterRole', 'Role'),
  ofKind('ServiceAccount'),
];

/**
 * The identities in groups to be removed one after the other; within a group order does not matter.
 * Kinds that no stage names go with workloads.
 */
export function pruneStages(ids: readonly ObjectId[]): ObjectId[][] {
  const groups: ObjectId[][] = stages.map(() => []);
  for (const id of ids) {
    const named = stages.findIndex((stage) => stage !== workloads && stage(id));
    groups[named < 0 ? stages.indexOf(workloads) : named]?.push(id);
  }
  return groups.filter((group) => group.length > 0);
}
