import { isSameSpec, readAuthor } from '../../api/author.ts';
import { authorizationOf } from '../../api/authorization.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { meshOperatorKind } from '../../api/mesh-operator.ts';
import { readUserInfo, type UserInfo } from '../../api/user-info.ts';
import { isRecord } from '../../base/stable-json.ts';
import { type AdmissionReview, MalformedReviewError } from '../admission-review.ts';

/** A MeshOperator that somebody is about to write. */
export interface MeshReview {
  readonly user: UserInfo;
  /** As it will be stored; its shape is checked, its spec is not. */
  readonly object: KubernetesObject;
  /** As it is stored; undefined for a new one. */
  readonly before: KubernetesObject | undefined;
}

/** What a review is about. Throws MalformedReviewError for one of anything but a MeshOperator that is written. */
export function readMeshReview({ request, namespace }: AdmissionReview): MeshReview {
  const { kind, object, oldObject, userInfo, subResource } = request;
  const isOfMesh = isRecord(kind) && kind.kind === meshOperatorKind && (subResource ?? '') === '';
  const user = readUserInfo(userInfo);
  if (!isOfMesh || user === undefined) {
    throw new MalformedReviewError('The review is not about a MeshOperator that a user writes');
  }
  const written = meshIn(object, namespace);
  if (written === undefined) throw new MalformedReviewError('The review has no object with metadata');
  return { user, object: written, before: meshIn(oldObject, namespace) };
}

/**
 * True when whoever writes it is the author from now on: the spec is new, nothing tells who wrote it, or whoever did
 * may not. The operator's own parts of meshes, which carry its seal, stay its own.
 */
export function takesAuthorship({ object, before }: MeshReview, key: Uint8Array): boolean {
  if (readAuthor(object, key) === 'operator') return false;
  if (before === undefined || !isSameSpec(object, before)) return true;
  return readAuthor(before, key) === undefined || authorizationOf(before)?.status === 'False';
}

function meshIn(value: unknown, namespace: string): KubernetesObject | undefined {
  if (!isRecord(value) || !isRecord(value.metadata)) return undefined;
  const mesh = value as unknown as KubernetesObject;
  return { ...mesh, metadata: { ...mesh.metadata, namespace } };
}
