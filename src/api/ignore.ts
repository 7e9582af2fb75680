import type { KubernetesObject } from './kubernetes-object.ts';
import { type Pause, pauseInForce } from './pause.ts';

/** On an object of a mesh: why the operator should leave it as it is. */
export const ignoreAnnotation = 'meshoperator.dev/ignore';
/** When that ends by itself (RFC 3339). */
export const ignoreUntilAnnotation = 'meshoperator.dev/ignore-until';

/**
 * What an object's annotations say; undefined when it is not to be ignored, no longer, or without a reason, which
 * whoever looks at the mesh has to be told. An end that is no time is one that has come.
 */
export function ignoredAt({ metadata }: KubernetesObject, now: Date): Pause | undefined {
  const { [ignoreAnnotation]: reason = '', [ignoreUntilAnnotation]: end } = metadata.annotations ?? {};
  if (reason.trim() === '') return undefined;
  return pauseInForce(end === undefined ? { reason } : { reason, until: end }, now);
}
