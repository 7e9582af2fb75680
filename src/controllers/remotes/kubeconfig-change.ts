import { type KubeconfigChangeCost, kubeconfigChangeCost } from '../../api/versions.ts';
import type { ObservedReplica } from './observe-replicas.ts';

/**
 * Whether a kubeconfig has to keep its bytes when the token changes: some replica that reads it, or will by the release
 * that the spec asks for, loses endpoints otherwise. Pure.
 */
export function mustKeepBytes(desired: string, replicas: readonly ObservedReplica[]): boolean {
  const costs = [kubeconfigChangeCost(desired), ...replicas.map((replica) => costFor(desired, replica))];
  return costs.some((cost) => cost !== 'Nothing');
}

/** UIDs of the pods of replicas that have to start anew when the bytes change nevertheless. Pure. */
export function losingPods(desired: string, replicas: readonly ObservedReplica[]): string[] {
  return replicas
    .filter((replica) => costFor(desired, replica) === 'UntilRestart')
    .map((replica) => replica.uid);
}

/** One that does not say what it is, is taken for what the spec asks for. */
function costFor(desired: string, { release = desired }: ObservedReplica): KubeconfigChangeCost | undefined {
  return kubeconfigChangeCost(release) ?? kubeconfigChangeCost(desired);
}
