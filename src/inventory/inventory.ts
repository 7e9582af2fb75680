import { idOf, idText, type KubernetesObject, type ObjectId } from '../api/kubernetes-object.ts';

/** Identities of the given objects, sorted, each once. */
export function idsOf(objects: Iterable<KubernetesObject>): ObjectId[] {
  return union([...objects].map(idOf), []);
}

/** Every identity of either list, sorted, each once. */
export function union(left: readonly ObjectId[], right: readonly ObjectId[]): ObjectId[] {
  const byText = new Map<string, ObjectId>();
  for (const id of [...left, ...right]) byText.set(identityText(id), id);
  return [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, id]) => id);
}

/** The identities of `left` that `right` does not have, in the order of `left`. */
export function subtract(left: readonly ObjectId[], right: readonly ObjectId[]): ObjectId[] {
  const gone = new Set(right.map(identityText));
  return left.filter((id) => !gone.has(identityText(id)));
}

/**
 * Equal for two references to one object, whatever version of its API group they name:
 * an object of `apps/v1` is the same as that of `apps/v1beta1`.
 */
export function identityText(id: ObjectId): string {
  const slash = id.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : id.apiVersion.slice(0, slash);
  return `${group}|${idText(id)}`;
}
