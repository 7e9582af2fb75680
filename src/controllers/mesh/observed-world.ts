import {
  idOf,
  type KubernetesObject,
  keyText,
  type ObjectId,
  type ObjectKey,
} from '../../api/kubernetes-object.ts';
import type { Informer } from '../../runtime/informer.ts';
import { claimedRevision, claimedTags } from './revision-claims.ts';

/** What the reconciler knows of the cluster: caches only, so looking costs no request. */
export class ObservedWorld {
  readonly #meshes: Informer;
  readonly #ownedByKind: ReadonlyMap<string, Informer>;

  /** `meshes` is indexed by `claimGroup`; `owned` are informers over `ownedKinds`, indexed by `ownerGroup`. */
  constructor(meshes: Informer, owned: readonly Informer[]) {
    this.#meshes = meshes;
    this.#ownedByKind = new Map(owned.map((informer) => [kindKey(informer.kind), informer]));
  }

  mesh(key: ObjectKey): KubernetesObject | undefined {
    return this.#meshes.get(key.namespace, key.name);
  }

  meshes(): Iterable<KubernetesObject> {
    return this.#meshes.values();
  }

  /** The meshes that ask for this revision, without looking at any other. */
  meshesClaiming(revision: string): KubernetesObject[] {
    return this.#meshes.byGroup(revision);
  }

  /** The object as last seen, whichever mesh it belongs to; undefined when it is gone or does not carry our labels. */
  find(id: ObjectId): KubernetesObject | undefined {
    return this.#ownedByKind.get(kindKey(id))?.get(id.namespace, id.name);
  }

  /** Every object whose labels name this mesh. */
  ownedBy(key: ObjectKey): KubernetesObject[] {
    return [...this.#ownedByKind.values()].flatMap((informer) => informer.byGroup(keyText(key)));
  }

  /** Takes the answer to a write of ours, so that the next pass decides from it. */
  observeWrite(object: KubernetesObject): void {
    const { apiVersion, kind } = idOf(object);
    const informer =
      kind === this.#meshes.kind.kind ? this.#meshes : this.#ownedByKind.get(kindKey({ apiVersion, kind }));
    informer?.observeWrite(object);
  }
}

/** Index function of the informer over MeshOperators: the revision each asks for, and its tags. */
export function claimGroup(mesh: KubernetesObject): string[] {
  return [claimedRevision(mesh), ...claimedTags(mesh).map(taggedGroup)];
}

/** The group of the meshes that have this tag; no revision is called so. */
export function taggedGroup(tag: string): string {
  return `tag:${tag}`;
}

function kindKey(kind: { readonly apiVersion: string; readonly kind: string }): string {
  return `${kind.apiVersion}/${kind.kind}`;
}
