import type { KubernetesObject } from './kubernetes-object.ts';

/**
 * On an object that a mesh takes over from another installer: the field managers whose fields become the operator's,
 * with commas between them. It is gone once nothing of the object is kept for the sake of pods that still run.
 */
export const adoptedFromAnnotation = 'meshoperator.dev/adopted-from';

/**
 * On an adopted Deployment whose pods are not to be made anew: the hash of the pod template that the operator would give
 * it, empty until it has seen the object. Another template, which restarts pods anyway, ends it, and so does its removal.
 */
export const keptTemplateAnnotation = 'meshoperator.dev/kept-template';

/** The field managers that an adopted object is taken over from; undefined for one that is not, or no longer, adopted. */
export function adoptedFrom({ metadata }: KubernetesObject): readonly string[] | undefined {
  const managers = metadata.annotations?.[adoptedFromAnnotation];
  return managers?.split(',').filter((manager) => manager !== '');
}
