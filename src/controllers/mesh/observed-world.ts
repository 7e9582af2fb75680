import type { KindInfo } from '../../api/kinds.ts';
import {
  idOf,
  type KubernetesObject,
  keyText,
  type ObjectId,
  type ObjectKey,
} from '../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../api/labels.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import type { ObservedRevision } from '../../render/revisions/plan-revisions.ts';
import { readRevisions } from '../../render/revisions/read-revision.ts';
import type { Informer } from '../../runtime/informer.ts';
import type { ServedKind } from '../../runtime/served-kind.ts';
import { claimedNames } from './revision-claims.ts';

export interface ObservedWorldInformers {
  /** Over MeshOperators, indexed by `claimGroup`. */
  readonly meshes: Informer;
  /** Over `ownedKinds` and `optionalKinds`, indexed by `ownerGroup`. */
  readonly owned: readonly Informer[];
  /** The kinds of `optionalKinds`. */
  readonly served: readonly ServedKind[];
}

/** What the reconciler knows of the cluster: caches only, so looking costs no request. */
export class ObservedWorld {
  readonly #meshes: Informer;
  readonly #ownedByKind: ReadonlyMap<string, Informer>;
  readonly #served: ReadonlyMap<string, ServedKind>;

  constructor({ meshes, owned, served }: ObservedWorldInformers) {
    this.#meshes = meshes;
    this.#served = new Map(served.map((row) => [kindKey(row.kind), row]));
    this.#ownedByKind = new Map(owned.map((informer) => [kindKey(informer.kind), informer]));
  }

  mesh(key: ObjectKey): KubernetesObject | undefined {
    return this.#meshes.get(key.namespace, key.name);
  }

  meshes(): Iterable<KubernetesObject> {
    return this.#meshes.values();
  }

  /** The meshes that go by this revision (`default` for the one without a name) or tag, without looking at any other. */
  meshesClaiming(name: string): KubernetesObject[] {
    return this.#meshes.byGroup(claimed(name));
  }

  /** The control planes of a mesh whose upgrades are `RevisionBased`. */
  revisionsOf(key: ObjectKey): ReadonlyMap<string, ObservedRevision> {
    return readRevisions(key, this.#meshes.byGroup(ownedGroup(key)));
  }

  /** The object as last seen, whichever mesh it belongs to; undefined when it is gone or does not carry our labels. */
  find(id: ObjectId): KubernetesObject | undefined {
    return this.#informerOf(id)?.get(id.namespace, id.name);
  }

  /** Whether the cluster has a kind that a CRD brings. Asking means to use it: from here on its objects are watched. */
  serves(kind: KindInfo): boolean {
    const served = this.#served.get(kindKey(kind));
    served?.want();
    return served?.isThere === true;
  }

  /** Has the kinds watched of which a mesh has objects. */
  wantKindsOf(mesh: KubernetesObject | undefined): void {
    const { inventory = [] } = ((mesh as MeshOperator | undefined)?.status ?? {}) as MeshOperatorStatus;
    for (const id of inventory) this.#served.get(kindKey(id))?.want();
  }

  /** Every object whose labels name this mesh. */
  ownedBy(key: ObjectKey): KubernetesObject[] {
    const owned = [...this.#ownedByKind.values()].flatMap((informer) => informer.byGroup(keyText(key)));
    return [...this.#meshes.byGroup(ownedGroup(key)), ...owned];
  }

  /** Takes the answer to a write of ours, so that the next pass decides from it. */
  observeWrite(object: KubernetesObject): void {
    this.#informerOf(idOf(object))?.observeWrite(object);
  }

  #informerOf(id: ObjectId): Informer | undefined {
    return id.kind === this.#meshes.kind.kind ? this.#meshes : this.#ownedByKind.get(kindKey(id));
  }
}

/** Index function of the informer over MeshOperators: the names by which each is chosen, and the mesh it belongs to. */
export function claimGroup(mesh: KubernetesObject): string[] {
  const owner = ownerByLabels(mesh.metadata.labels);
  const groups = [...new Set(claimedNames(mesh).map(claimed))];
  return owner === undefined ? groups : [...groups, ownedGroup(owner)];
}

/** The group of the meshes that go by a name. */
function claimed(name: string): string {
  return `name:${name}`;
}

/** The group of the control planes of a mesh. */
function ownedGroup(owner: ObjectKey): string {
  return `owner:${keyText(owner)}`;
}

function kindKey(kind: { readonly apiVersion: string; readonly kind: string }): string {
  return `${kind.apiVersion}/${kind.kind}`;
}
