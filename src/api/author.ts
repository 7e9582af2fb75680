import { createHmac, timingSafeEqual } from 'node:crypto';
import { isRecord, stableJson } from '../base/stable-json.ts';
import { dropNulls } from './drop-nulls.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { readUserInfo, type UserInfo } from './user-info.ts';

/**
 * On a MeshOperator: who has written its spec, sealed by the operator (ADR 16). It counts for exactly this spec under
 * this name: written by anybody else, or left behind by another spec, it says nothing.
 */
export const authorAnnotation = 'meshoperator.dev/author';

/** Who has written a spec: a user, or the operator itself, for the control planes that it makes of another mesh. */
export type Author = UserInfo | 'operator';

/** The value of the annotation that says so of this MeshOperator. `key`: at least 32 bytes that nobody else has. */
export function sealAuthor(mesh: KubernetesObject, author: Author, key: Uint8Array): string {
  const seal = sealOf(mesh, author, key).toString('base64url');
  return JSON.stringify(author === 'operator' ? { seal } : { user: author, seal });
}

/** The author of the spec as it is; undefined when the annotation is missing, or does not say so of this spec. */
export function readAuthor(mesh: KubernetesObject, key: Uint8Array): Author | undefined {
  const record = parsed(mesh.metadata.annotations?.[authorAnnotation]);
  if (record === undefined || typeof record.seal !== 'string') return undefined;
  const author = record.user === undefined ? 'operator' : readUserInfo(record.user);
  if (author === undefined) return undefined;
  const given = Buffer.from(record.seal, 'base64url');
  const wanted = sealOf(mesh, author, key);
  return given.length === wanted.length && timingSafeEqual(given, wanted) ? author : undefined;
}

/** True when both MeshOperators ask for the same; a null says nothing. */
export function isSameSpec(a: KubernetesObject, b: KubernetesObject): boolean {
  return specText(a) === specText(b);
}

function sealOf(mesh: KubernetesObject, author: Author, key: Uint8Array): Buffer {
  const { namespace, name } = mesh.metadata;
  const sealed = stableJson(['author', namespace, name, author, specText(mesh)]);
  return createHmac('sha256', key).update(sealed).digest();
}

function specText({ spec }: KubernetesObject): string {
  return stableJson(dropNulls(spec ?? {}));
}

/** Anybody may have written anything there. */
function parsed(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
