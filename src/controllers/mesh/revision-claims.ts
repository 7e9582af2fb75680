import { type KubernetesObject, keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import { revisionLabel } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';

/** The revision a MeshOperator asks for, read leniently: the spec may be invalid. Empty for the default one. */
export function claimedRevision(mesh: KubernetesObject): string {
  const revision = isRecord(mesh.spec) ? mesh.spec.revision : undefined;
  return typeof revision !== 'string' || revision === 'default' ? '' : revision;
}

/** The further names of its revision, read as leniently. */
export function claimedTags(mesh: KubernetesObject): string[] {
  const tags = isRecord(mesh.spec) ? mesh.spec.revisionTags : undefined;
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}

/**
 * The mesh that already holds the revision which `mesh` asks for; undefined when `mesh` may have it.
 * A revision belongs to one mesh of a cluster, since webhooks and pods name it without a namespace:
 * the oldest claim keeps it, and of two equally old ones the first by namespace and name.
 */
export function earlierClaim(mesh: KubernetesObject, all: Iterable<KubernetesObject>): ObjectKey | undefined {
  const revision = claimedRevision(mesh);
  const rivals = [...all].filter(
    (other) =>
      other.metadata.uid !== mesh.metadata.uid &&
      claimedRevision(other) === revision &&
      precedes(other, mesh),
  );
  const first = rivals.sort((a, b) => (precedes(a, b) ? -1 : 1))[0];
  return first === undefined ? undefined : keyOf(first);
}

/** What a person reads when another mesh holds the revision. */
export function claimMessage(mesh: KubernetesObject, holder: ObjectKey): string {
  const revision = revisionLabel(claimedRevision(mesh));
  return `spec.revision: revision ${revision} belongs to MeshOperator ${keyText(holder)}; give this mesh another revision or delete that one`;
}

function precedes(left: KubernetesObject, right: KubernetesObject): boolean {
  const [a, b] = [rank(left), rank(right)];
  return a < b;
}

/** Sorts by age, then by name; creation timestamps are RFC 3339 in UTC, so text order is time order. */
function rank(mesh: KubernetesObject): string {
  return `${mesh.metadata.creationTimestamp ?? ''} ${keyText(keyOf(mesh))}`;
}

function keyOf(mesh: KubernetesObject): ObjectKey {
  return { namespace: mesh.metadata.namespace ?? '', name: mesh.metadata.name };
}
