import type { KubernetesObject } from './kubernetes-object.ts';
import type { MeshOperator } from './mesh-operator.ts';
import { pauseAt, pauseEndsInMs } from './pause.ts';
import type { ResolvedMesh } from './resolved-mesh.ts';
import type { ResolvedMeshCache } from './resolved-mesh-cache.ts';

/** What a controller is to do about a MeshOperator, beside the mesh controller, which alone says why nothing is done. */
export type MeshStanding =
  /** It is gone, or being deleted. */
  | { readonly standing: 'Gone' }
  /** It is paused, for so many milliseconds yet, or its spec is refused: what there is stays as it is. */
  | { readonly standing: 'AtRest'; readonly endsInMs: number | undefined }
  | { readonly standing: 'Active'; readonly object: KubernetesObject; readonly mesh: ResolvedMesh };

/** How a MeshOperator stands at `now`; undefined is one that there is not. */
export function meshStanding(
  object: KubernetesObject | undefined,
  resolved: Pick<ResolvedMeshCache, 'find'>,
  now: Date,
): MeshStanding {
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return { standing: 'Gone' };
  const pause = pauseAt(object as unknown as MeshOperator, now);
  if (pause !== undefined) return { standing: 'AtRest', endsInMs: pauseEndsInMs(pause, now) };
  const mesh = resolved.find(object);
  if (mesh === undefined) return { standing: 'AtRest', endsInMs: undefined };
  return { standing: 'Active', object, mesh };
}
