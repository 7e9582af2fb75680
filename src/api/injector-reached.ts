import type { KubernetesObject } from './kubernetes-object.ts';

/**
 * Annotation of an injector's webhook configuration: when a self-test has last shown that the API server reaches the
 * injector (RFC 3339). Empty while it does not: it is always there, so that nobody else can keep a value of theirs.
 */
export const injectorReachedAnnotation = 'meshoperator.dev/injector-reached';

/** When the configuration says that the injector was reached; undefined while it is not, and for what is no time. */
export function injectorReachedAt({ metadata }: KubernetesObject): Date | undefined {
  const time = new Date(metadata.annotations?.[injectorReachedAnnotation] ?? '');
  return Number.isNaN(time.getTime()) ? undefined : time;
}
