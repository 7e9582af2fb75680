import { authorAnnotation, readAuthor, sealAuthor } from '../../api/author.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { PatchOperation } from '../../injection/json-patch.ts';
import type { ReviewAnswer } from '../admission-review.ts';
import { type MeshReview, takesAuthorship } from './mesh-review.ts';

/**
 * Writes down who the author of the spec is, whatever the object says of it: whoever changes the spec; otherwise whoever
 * was it before. Allows everything; whether it may be is looked at when the object is complete (`reviewMesh`).
 */
export function recordAuthor(review: MeshReview, key: Uint8Array): ReviewAnswer {
  const { object, before, user } = review;
  const given = annotationOf(object);
  const isTaken = takesAuthorship(review, key);
  const isOwn = readAuthor(object, key) === 'operator';
  const kept = before === undefined || isOwn ? given : annotationOf(before);
  const wanted = isTaken ? sealAuthor(object, user, key) : kept;
  const explanation = isTaken ? 'The author of the spec is who writes it' : 'The author of the spec stays';
  return { allowed: true, explanation, patch: wanted === given ? [] : annotate(object, wanted) };
}

function annotationOf({ metadata }: MeshReview['object']): string | undefined {
  const annotations: unknown = metadata.annotations;
  const value = isRecord(annotations) ? annotations[authorAnnotation] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function annotate({ metadata }: MeshReview['object'], value: string | undefined): PatchOperation[] {
  if (!isRecord(metadata.annotations)) {
    return [{ op: 'add', path: '/metadata/annotations', value: { [authorAnnotation]: value } }];
  }
  const path = `/metadata/annotations/${authorAnnotation.replaceAll('/', '~1')}`;
  return [{ op: 'add', path, value }];
}
