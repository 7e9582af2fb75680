import { groupOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../../api/mesh-operator.ts';
import { sailGroup } from '../../convert/source-names.ts';

/** Who owns an object, as its references say. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/**
 * Whoever owns one of the objects by reference: it makes the object again as it was, and takes it with itself when it goes.
 * `keepers` are such owners whatever references say. Each once, whatever the version of its group; MeshOperators are none.
 */
export function ownersOf(
  objects: readonly KubernetesObject[],
  keepers: readonly KubernetesObject[] = [],
): Owner[] {
  const ours = groupOf(meshOperatorApiVersion);
  const referenced = [...keepers, ...objects]
    .flatMap(({ metadata }) => metadata.ownerReferences ?? [])
    .filter(({ kind, apiVersion }) => kind !== meshOperatorKind || groupOf(apiVersion) !== ours);
  const named = keepers.map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, name: metadata.name }));
  const owners = new Map<string, Owner>();
  for (const { apiVersion, kind, name } of [...named, ...referenced]) {
    const key = `${kind}.${groupOf(apiVersion)} ${name}`;
    if (!owners.has(key)) owners.set(key, { apiVersion, kind, name });
  }
  return [...owners.values()];
}

/** What stands against an adoption, one line for each owner. */
export function refusedOwners(owners: readonly Owner[]): string[] {
  return owners.map(({ apiVersion, kind, name }) => {
    const advice = sailGroup.test(apiVersion)
      ? "take Sail's operator off it by the steps of this report, which keep its spec first"
      : 'stop what keeps it, and delete it with --cascade=orphan';
    return `${kind} ${name} (${apiVersion}) owns objects of this Istio and would set them back: ${advice}`;
  });
}
