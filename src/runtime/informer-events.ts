import { type KubernetesObject, keyText, type ObjectKey } from '../api/kubernetes-object.ts';
import { ownerByLabels } from '../api/labels.ts';
import type { InformerEvent } from './informer.ts';

/** The key by which a controller knows a namespaced object. */
export function objectKeyOf({ metadata }: KubernetesObject): ObjectKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

/** False for a change of an object that only a write of its status can have caused. */
export function changesMoreThanStatus({ old, current }: InformerEvent): boolean {
  if (old === undefined || current === undefined) return true;
  return (
    old.metadata.generation !== current.metadata.generation ||
    old.metadata.deletionTimestamp !== current.metadata.deletionTimestamp ||
    old.metadata.finalizers?.join() !== current.metadata.finalizers?.join()
  );
}

/** Those that a changed object belongs to by its labels: before the change and after it. */
export function ownersOfEvent({ old, current }: InformerEvent): ObjectKey[] {
  const owners = [old, current].flatMap((object) => ownerByLabels(object?.metadata.labels) ?? []);
  return [...new Map(owners.map((owner) => [keyText(owner), owner])).values()];
}
