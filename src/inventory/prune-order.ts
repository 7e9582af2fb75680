import type { ObjectId } from '../api/kubernetes-object.ts';

/**
 * What goes first when objects are removed. Webhooks go before what answers them, or they block
 * the API server; identities and roles go last, so that a pod never outlives its rights.
 */
const stages: readonly (readonly string[])[] = [
  ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
  ['HorizontalPodAutoscaler', 'PodDisruptionBudget'],
  ['Deployment', 'Service'],
  ['ConfigMap', 'Secret'],
  ['ClusterRoleBinding', 'RoleBinding'],
  ['ClusterRole', 'Role'],
  ['ServiceAccount'],
];

/**
 * The identities in groups to be removed one after the other; within a group order does not matter.
 * Kinds that no stage names go with workloads.
 */
export function pruneStages(ids: readonly ObjectId[]): ObjectId[][] {
  const workloads = stages.findIndex((kinds) => kinds.includes('Deployment'));
  const groups: ObjectId[][] = stages.map(() => []);
  for (const id of ids) {
    const stage = stages.findIndex((kinds) => kinds.includes(id.kind));
    groups[stage < 0 ? workloads : stage]?.push(id);
  }
  return groups.filter((group) => group.length > 0);
}
