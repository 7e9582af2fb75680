import { claimedTenant, claimsOf } from '../../api/claims.ts';
import type { KindInfo } from '../../api/kinds.ts';
import {
  idOf,
  type KubernetesObject,
  keyText,
  type ObjectId,
  type ObjectKey,
} from '../../api/kubernetes-object.ts';
import { memberLabel, ownerByLabels, tenantLabel } from '../../api/labels.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import { primaryConfigMapId } from '../../api/primary-statement.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import type { ObservedRevision } from '../../render/revisions/plan-revisions.ts';
import { readRevisions } from '../../render/revisions/read-revision.ts';
import type { Informer, InformerEvent } from '../../runtime/informer.ts';
import type { ServedKind } from '../../runtime/served-kind.ts';
import { type Candidate, decideMember, decideMembers, type PurposeOf } from './decide-members.ts';

export interface ObservedWorldSources {
  /** Over MeshOperators, indexed by `claimGroup`. */
  readonly meshes: Informer;
  /** Over `ownedKinds` and `optionalKinds`, indexed by `ownerGroup`. */
  readonly owned: readonly Informer[];
  /** The kinds of `optionalKinds`. */
  readonly served: readonly ServedKind[];
  /** Over all namespaces, with UID and labels. */
  readonly namespaces: Informer;
  /** Over what other clusters say of their istiods (`primary-statement.ts`). */
  readonly primaries: Informer;
  /** Where the operator runs. */
  readonly operatorNamespace: string;
}

/** What the reconciler knows of the cluster: caches only, so looking costs no request. */
export class ObservedWorld {
  readonly #meshes: Informer;
  readonly #ownedByKind: ReadonlyMap<string, Informer>;
  readonly #served: ReadonlyMap<string, ServedKind>;
  readonly #namespaces: Informer;
  readonly #primaries: Informer;
  readonly #operatorNamespace: string;
  readonly #resolved = new ResolvedMeshCache(() => true);

  constructor({ meshes, owned, served, namespaces, primaries, operatorNamespace }: ObservedWorldSources) {
    this.#primaries = primaries;
    this.#operatorNamespace = operatorNamespace;
    this.#meshes = meshes;
    this.#served = new Map(served.map((row) => [kindKey(row.kind), row]));
    this.#namespaces = namespaces;
    this.#ownedByKind = new Map(owned.map((informer) => [kindKey(informer.kind), informer]));
  }

  mesh(key: ObjectKey): KubernetesObject | undefined {
    return this.#meshes.get(key.namespace, key.name);
  }

  meshes(): Iterable<KubernetesObject> {
    return this.#meshes.values();
  }

  /** The meshes with a claim of this key, such as a revision (`default` for the one without a name) or tag, without looking at any other. */
  meshesClaiming(name: string): KubernetesObject[] {
    return this.#meshes.byGroup(claimed(name));
  }

  /** The meshes with tenancy, without looking at any other. */
  tenants(): KubernetesObject[] {
    return this.#meshes.byGroup(ofTenants);
  }

  namespace(name: string): KubernetesObject | undefined {
    return this.#namespaces.get(undefined, name);
  }

  /** What another cluster has said of its istiod to a mesh that follows it; undefined when nothing. */
  primaryOf({ namespace, revision }: ResolvedMesh): KubernetesObject | undefined {
    return this.#primaries.get(namespace, primaryConfigMapId(namespace, revision).name);
  }

  /** The meshes of a namespace, without looking at any other. */
  meshesIn(namespace: string): KubernetesObject[] {
    return this.#meshes.byGroup(inNamespace(namespace));
  }

  /** What namespaces are to a mesh; nothing to one without tenancy. */
  candidatesOf(mesh: ResolvedMesh): readonly Candidate[] {
    const { tenancy } = mesh;
    if (tenancy === undefined) return [];
    const namespaces = [...this.#namespaces.values()];
    return decideMembers(mesh, tenancy, { namespaces, purposeOf: (name) => this.#purposeOf(name) });
  }

  /** The namespaces that say they are members of a tenant, of which somebody has to take care. */
  membersOf(tenant: string): KubernetesObject[] {
    return [...this.#namespaces.values()].filter(({ metadata }) => metadata.labels?.[memberLabel] === tenant);
  }

  /** The meshes with tenancy to which a namespace is something else after a change, their own namespaces included. */
  tenantsAround({ old, current }: InformerEvent): KubernetesObject[] {
    return this.tenants().filter((object) => {
      const mesh = this.#resolved.find(object);
      const { tenancy } = mesh ?? {};
      if (mesh === undefined || tenancy === undefined) return false;
      const name = (current ?? old)?.metadata.name ?? '';
      if (name === mesh.namespace) {
        return old?.metadata.labels?.[tenantLabel] !== current?.metadata.labels?.[tenantLabel];
      }
      const stateOf = (namespace: KubernetesObject | undefined) => {
        if (namespace === undefined) return tenancy.members.namespaces.includes(name) ? 'Missing' : undefined;
        return decideMember(mesh, tenancy, namespace, (other) => this.#purposeOf(other));
      };
      return stateOf(old) !== stateOf(current);
    });
  }

  #purposeOf(namespace: string): ReturnType<PurposeOf> {
    if (namespace === this.#operatorNamespace) return 'Operator';
    return this.meshesIn(namespace).length > 0 ? 'ControlPlane' : undefined;
  }

  /** The meshes that may not share namespaces with it, with their defaults: tenants, and for a tenant all; itself as well. */
  *rivalsOf({ tenancy }: ResolvedMesh): Iterable<readonly [KubernetesObject, ResolvedMesh]> {
    for (const object of tenancy === undefined ? this.tenants() : this.#meshes.values()) {
      const resolved = this.#resolved.find(object);
      if (resolved !== undefined) yield [object, resolved];
    }
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

  /** The same of a namespace. */
  observeNamespace(namespace: KubernetesObject): void {
    this.#namespaces.observeWrite(namespace);
  }

  #informerOf(id: ObjectId): Informer | undefined {
    return id.kind === this.#meshes.kind.kind ? this.#meshes : this.#ownedByKind.get(kindKey(id));
  }
}

/** Index function of the informer over MeshOperators: what each claims, its namespace, whether it has tenancy, and the mesh it belongs to. */
export function claimGroup(mesh: KubernetesObject): string[] {
  const owner = ownerByLabels(mesh.metadata.labels);
  const groups = [...new Set(claimsOf(mesh).map(({ key }) => claimed(key)))];
  groups.push(inNamespace(mesh.metadata.namespace ?? ''));
  if (claimedTenant(mesh) !== undefined) groups.push(ofTenants);
  return owner === undefined ? groups : [...groups, ownedGroup(owner)];
}

/** The group of the meshes that go by a name. */
function claimed(name: string): string {
  return `name:${name}`;
}

/** The group of the meshes of a namespace. */
function inNamespace(namespace: string): string {
  return `namespace:${namespace}`;
}

/** The group of the meshes with tenancy. */
const ofTenants = 'tenants';

/** The group of the control planes of a mesh. */
function ownedGroup(owner: ObjectKey): string {
  return `owner:${keyText(owner)}`;
}

function kindKey(kind: { readonly apiVersion: string; readonly kind: string }): string {
  return `${kind.apiVersion}/${kind.kind}`;
}
