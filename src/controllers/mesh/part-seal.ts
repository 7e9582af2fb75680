import { authorAnnotation, isSameSpec, readAuthor, sealAuthor } from '../../api/author.ts';
import { isAuthorized } from '../../api/authorization.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';

/** A control plane that is made of a mesh whose author was asked about, with the operator's own seal. */
export function sealPart(part: KubernetesObject, key: Uint8Array): KubernetesObject {
  const { metadata } = part;
  const annotations = { ...metadata.annotations, [authorAnnotation]: sealAuthor(part, 'operator', key) };
  return { ...part, metadata: { ...metadata, annotations } };
}

/**
 * False for a part whose spec somebody has written who may not have it, or got past the webhook, where the mesh would do
 * no more than repeat that: control planes of earlier versions are kept as they are observed, and must not get our seal
 * by it.
 */
export function maySealPart(part: KubernetesObject, observed: KubernetesObject, key: Uint8Array): boolean {
  if (isAuthorized(observed) || readAuthor(observed, key) === 'operator') return true;
  return !isSameSpec(ofItself(part), ofItself(observed));
}

/** Without what the mesh decides of each part anew. */
function ofItself(part: KubernetesObject): KubernetesObject {
  const { revisionTags: _tags, revisionTagScope: _scope, paused: _paused, ...spec } = part.spec as Spec;
  return { ...part, spec };
}

interface Spec {
  readonly revisionTags?: unknown;
  readonly revisionTagScope?: unknown;
  readonly paused?: unknown;
}
