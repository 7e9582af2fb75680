import type { KubernetesObject } from './kubernetes-object.ts';

/** On an object of a mesh: why the operator should leave it as it is. */
export const ignoreAnnotation = 'meshoperator.dev/ignore';
/** When that ends by itself (RFC 3339). */
export const ignoreUntilAnnotation = 'meshoperator.dev/ignore-until';

/** Why, and until when, an object is left as it is. */
export interface Ignored {
  readonly reason: string;
  /** Undefined when somebody has to end it. */
  readonly until: Date | undefined;
}

/**
 * What an object's annotations say; undefined when it is not to be ignored, no longer, or without a reason, which
 * whoever looks at the mesh has to be told. An end that is no time is one that has come.
 */
export function ignoredAt({ metadata }: KubernetesObject, now: Date): Ignored | undefined {
  const { [ignoreAnnotation]: reason = '', [ignoreUntilAnnotation]: end } = metadata.annotations ?? {};
  if (reason.trim() === '') return undefined;
  if (end === undefined) return { reason, until: undefined };
  const until = new Date(end);
  return until.getTime() > now.getTime() ? { reason, until } : undefined;
}
