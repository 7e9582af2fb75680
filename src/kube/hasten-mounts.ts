import { idOf, type KubernetesObject } from '../api/kubernetes-object.ts';
import { NotFoundError } from '../base/errors.ts';
import type { KubeClient } from './client.ts';

export interface HastenOptions {
  /** On the pods; its change is what kubelets hear of. */
  readonly annotation: string;
  /** Names what should be mounted. */
  readonly version: string;
  readonly fieldManager: string;
  readonly now: Date;
}

/** Long enough for a kubelet that has heard of both the pod and what it mounts. */
const againAfterMs = 10_000;

/**
 * Has the kubelets of pods look at once whether Secrets and ConfigMaps that are mounted have changed: a pod that changes is
 * synchronized, which otherwise takes them up to a minute and a half. A pod that was told of this version is told again
 * after ten seconds, since a kubelet watches each kind by itself: one that was cut off may hear of the pod before it hears
 * of the Secret, and mounts what it had. To be called until what is mounted is seen to be in use. Gives the pods that were
 * written; those that are gone are left out.
 */
export async function hastenMounts(
  client: KubeClient,
  pods: readonly KubernetesObject[],
  { annotation, version, fieldManager, now }: HastenOptions,
  signal: AbortSignal,
): Promise<KubernetesObject[]> {
  const merge = { metadata: { annotations: { [annotation]: `${version} ${now.toISOString()}` } } };
  const written: KubernetesObject[] = [];
  for (const pod of pods) {
    if (!isDue(pod.metadata.annotations?.[annotation], version, now)) continue;
    try {
      written.push(await client.patch(idOf(pod), { type: 'merge', merge }, { fieldManager }, signal));
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }
  return written;
}

function isDue(told: string | undefined, version: string, now: Date): boolean {
  const [name, at = ''] = told?.split(' ') ?? [];
  // A clock that was ahead must not keep anybody from being told.
  const isFresh = Math.abs(now.getTime() - Date.parse(at)) < againAfterMs;
  return name !== version || !isFresh;
}
