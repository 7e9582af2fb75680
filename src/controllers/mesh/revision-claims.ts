import { type KubernetesObject, keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../api/labels.ts';
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

/** The names under which namespaces may choose a MeshOperator: its revision (`default` for the one without), then its tags. */
export function claimedNames(mesh: KubernetesObject): string[] {
  return [revisionLabel(claimedRevision(mesh)), ...claimedTags(mesh)];
}

/** A name that somebody else holds, and who. */
export interface HeldClaim {
  readonly name: string;
  readonly holder: ObjectKey;
}

/**
 * The first name of `mesh` that another one already holds; undefined when `mesh` may have all of them. A name, be it a
 * revision or a tag, belongs to one mesh of a cluster, since webhooks and pods go by it without a namespace: the oldest
 * claim keeps it, and of two equally old ones the first by namespace and name. The control planes of one mesh share its
 * names with it.
 */
export function earlierClaim(
  mesh: KubernetesObject,
  claiming: (name: string) => Iterable<KubernetesObject>,
): HeldClaim | undefined {
  for (const name of claimedNames(mesh)) {
    const rivals = [...claiming(name)].filter(
      (other) => familyOf(other) !== familyOf(mesh) && precedes(other, mesh),
    );
    const first = rivals.sort((a, b) => (precedes(a, b) ? -1 : 1))[0];
    if (first !== undefined) return { name, holder: keyOf(first) };
  }
  return undefined;
}

/** What a person reads when another mesh holds the name. */
export function claimMessage(mesh: KubernetesObject, { name, holder }: HeldClaim): string {
  const index = claimedNames(mesh).indexOf(name);
  const [path, what] =
    index === 0 ? ['spec.revision', 'revision'] : [`spec.revisionTags[${index - 1}]`, 'tag'];
  return `${path}: ${what} ${name} belongs to MeshOperator ${keyText(holder)}; give this mesh another ${what} or delete that one`;
}

/** The mesh that a MeshOperator is a control plane of, which is in the same namespace, or itself. */
function familyOf(mesh: KubernetesObject): string {
  const own = keyOf(mesh);
  const owner = ownerByLabels(mesh.metadata.labels);
  return keyText(owner?.namespace === own.namespace ? owner : own);
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
