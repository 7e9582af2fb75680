import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { meshOperatorKind } from '../../api/mesh-operator.ts';

/**
 * What keeps objects from being adopted: whoever owns one by reference makes it again as it was, and takes it with itself
 * when it goes. One line for each owner.
 */
export function refusedOwners(objects: readonly KubernetesObject[]): string[] {
  const owners = objects.flatMap(({ metadata }) =>
    (metadata.ownerReferences ?? [])
      .filter(({ kind }) => kind !== meshOperatorKind)
      .map(({ kind, name, apiVersion }) => ({ text: `${kind} ${name}`, apiVersion })),
  );
  return [...new Map(owners.map((owner) => [owner.text, owner])).values()].map(({ text, apiVersion }) => {
    const isSail = /^(sail)?operator(\.istio)?\.io\//.test(apiVersion);
    const advice = isSail
      ? "scale Sail's operator to 0, take the finalizers off its Istio and IstioRevision, and delete the IstioRevision and then the Istio with --cascade=orphan"
      : 'stop what keeps it, and delete it with --cascade=orphan';
    return `${text} (${apiVersion}) owns objects of this Istio and would set them back: ${advice}`;
  });
}
