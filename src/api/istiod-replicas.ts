import { isRecord } from '../base/stable-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

/** As the record has it: only then can it be asked. */
export function isRunning({ status }: KubernetesObject): boolean {
  return isRecord(status) && status.phase === 'Running';
}

/**
 * The pods of istiod that sign, or will: those that run, and those that have a node. Kubelets mount volumes before they
 * pull images (`syncPod`), so a pod may start minutes later with what was in the Secret before. One without a node has
 * mounted nothing.
 */
export function replicaPods(pods: readonly KubernetesObject[]): KubernetesObject[] {
  return pods.filter((pod) => pod.metadata.labels?.app === 'istiod' && (isRunning(pod) || isStarting(pod)));
}

/** Whether there are replicas, by their records, and none of them is Ready. */
export function noneIsReady(replicas: readonly KubernetesObject[]): boolean {
  return replicas.length > 0 && !someIsReady(replicas);
}

/** Whether one of these replicas, by their records, is Ready. */
export function someIsReady(replicas: readonly KubernetesObject[]): boolean {
  return replicas.some(({ status }) => isRecord(status) && status.isReady === true);
}

function isStarting({ status }: KubernetesObject): boolean {
  return isRecord(status) && status.phase === 'Pending' && status.hasNode === true;
}
