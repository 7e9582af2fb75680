import type { Delivery } from './credential-state.ts';
import { type ObservedReplica, type ReplicaAnswer, replicasFor } from './observe-replicas.ts';

/**
 * Whether a replica has heard of the kubeconfig that was delivered. Where it had another one of the cluster, that is told
 * by what it counts: changes of all Secrets together. Pure.
 */
export function hasHeard(replica: ObservedReplica, { before, fileSince }: Delivery): boolean {
  if (replica.problem !== undefined) return false;
  if (before === undefined) return replica.syncStatus !== undefined;
  if (fileSince !== undefined) return true;
  const count = before[replica.uid];
  // One that was not there before, or has started anew, has read what there is.
  const hasStarted = count === undefined || count.startedAt !== replica.startedAt;
  return hasStarted || replica.secretEvents !== count.secretEvents;
}

/**
 * Whether a delivery may begin beside others of the same mesh, which `others` has by the names of their clusters: where one
 * of two is told by what replicas count, the earlier one has to be counted before. It need not be in use: a cluster that
 * does not answer holds up no other. Pure.
 */
export function mayBegin(
  delivery: Delivery,
  others: ReadonlyMap<string, Delivery>,
  answers: readonly ReplicaAnswer[],
): boolean {
  return [...others]
    .filter(([, other]) => isCounted(delivery) || isCounted(other))
    .every(([clusterName, other]) =>
      replicasFor(clusterName, answers).every((replica) => hasHeard(replica, other)),
    );
}

function isCounted({ before, fileSince }: Delivery): boolean {
  return before !== undefined && fileSince === undefined;
}
