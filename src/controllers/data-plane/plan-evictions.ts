import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { controllersOf } from './observed-pods.ts';
import { isLive, isRecordReady } from './pod-record.ts';

/** What is to be done about bare pods. */
export interface EvictionPlan {
  readonly evict: readonly KubernetesObject[];
  /** Their controller has made them anew since we evicted one of its pods, bare again: nothing more is tried. */
  readonly comesBackBare: readonly KubernetesObject[];
}

export interface EvictionFacts {
  readonly bare: readonly KubernetesObject[];
  /** All pods of a controller, by its uid. */
  readonly siblings: (controllerUid: string) => readonly KubernetesObject[];
  /** The pods (uids) that were bare when we evicted one of a controller's, by the controller's uid. */
  readonly evicted: ReadonlyMap<string, ReadonlySet<string>>;
  /** Pods (uids) that were refused to us a moment ago. */
  readonly refused: ReadonlySet<string>;
}

/** More at once would be a restart of everything. */
const mostAtOnce = 20;

/** Controllers that do not bring a pod back, or not as it was: a Job's work would start anew, a node's own pod is not ours. */
const leftAlone = ['Job', 'Node'];

/**
 * Which bare pods to evict now: those that are not ready, and of each controller one ready one when all others of its
 * pods are ready, so that a workload without a disruption budget keeps running, too; and never again once a successor
 * has turned out bare.
 */
export function planEvictions({ bare, siblings, evicted, refused }: EvictionFacts): EvictionPlan {
  const evict: KubernetesObject[] = [];
  const comesBackBare: KubernetesObject[] = [];
  const taken = new Set<string>();
  const isSuccessor = (pod: KubernetesObject, uid: string) =>
    evicted.get(uid)?.has(pod.metadata.uid ?? '') === false;
  const lost = new Set(
    bare.flatMap((pod) => controllersOf(pod).flatMap(({ uid }) => (isSuccessor(pod, uid) ? [uid] : []))),
  );
  for (const pod of bare) {
    const [controller] = controllersOf(pod);
    if (controller === undefined || leftAlone.includes(controller.kind)) continue;
    const { uid } = controller;
    if (lost.has(uid)) {
      comesBackBare.push(pod);
      continue;
    }
    if (evict.length >= mostAtOnce || refused.has(pod.metadata.uid ?? '')) continue;
    if (isRecordReady(pod)) {
      const others = siblings(uid).filter((other) => other.metadata.uid !== pod.metadata.uid);
      if (taken.has(uid) || others.some((other) => !isLive(other) || !isRecordReady(other))) continue;
    }
    taken.add(uid);
    evict.push(pod);
  }
  return { evict, comesBackBare };
}
