import type { KubernetesObject, ManagedFieldsEntry } from '../api/kubernetes-object.ts';
import { TextPool } from './text-pool.ts';

/** Names the groups an object belongs to, such as the key of its owner; none for an object of nobody. */
export type IndexFunction = (object: KubernetesObject) => readonly string[];

interface Entry {
  /** JSON text without `managedFields`: a parsed object of the same content takes three to six times the memory. */
  readonly text: string;
  /** JSON text of `managedFields`, half of the object and the same for the same object of many meshes. */
  readonly claims: string;
  readonly resourceVersion: string;
  readonly groups: readonly string[];
  /** The parsed object for as long as somebody else holds it. */
  parsed: WeakRef<KubernetesObject>;
}

/**
 * Objects of one kind by `namespace/name` (or `name`), and by the groups the index function names.
 * What it hands out is shared and read-only by convention: never change it.
 * Holds text and parses on demand (about 20 µs for a Deployment), since most objects are looked at rarely.
 */
export class ObjectStore {
  readonly #index: IndexFunction;
  readonly #entries = new Map<string, Entry>();
  readonly #groups = new Map<string, Set<string>>();
  readonly #claims = new TextPool();

  constructor(index: IndexFunction) {
    this.#index = index;
  }

  get size(): number {
    return this.#entries.size;
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  get(key: string): KubernetesObject | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : parsedOf(entry);
  }

  /** The version held, without parsing the object. */
  resourceVersionOf(key: string): string | undefined {
    return this.#entries.get(key)?.resourceVersion;
  }

  /** Every object; cost grows with their number, so not for a reconcile. */
  *values(): IterableIterator<KubernetesObject> {
    for (const entry of this.#entries.values()) yield parsedOf(entry);
  }

  /** The objects of one group, without looking at any other. */
  byGroup(group: string): KubernetesObject[] {
    const objects: KubernetesObject[] = [];
    for (const key of this.#groups.get(group) ?? []) {
      const object = this.get(key);
      if (object !== undefined) objects.push(object);
    }
    return objects;
  }

  set(key: string, object: KubernetesObject): void {
    this.delete(key);
    const groups = this.#index(object);
    const { managedFields, ...metadata } = object.metadata;
    this.#entries.set(key, {
      text: JSON.stringify({ ...object, metadata }),
      claims: this.#claims.hold(managedFields === undefined ? '' : JSON.stringify(managedFields)),
      resourceVersion: object.metadata.resourceVersion ?? '',
      groups,
      parsed: new WeakRef(object),
    });
    for (const group of groups) {
      const members = this.#groups.get(group);
      if (members === undefined) this.#groups.set(group, new Set([key]));
      else members.add(key);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#claims.release(entry.claims);
    for (const group of entry.groups) {
      const members = this.#groups.get(group);
      members?.delete(key);
      if (members?.size === 0) this.#groups.delete(group);
    }
  }
}

/** The key of an object in the store: `namespace/name`, or `name` for a cluster-scoped one. */
export function storeKey(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

function parsedOf(entry: Entry): KubernetesObject {
  const held = entry.parsed.deref();
  if (held !== undefined) return held;
  const object = JSON.parse(entry.text) as KubernetesObject;
  if (entry.claims !== '') object.metadata.managedFields = JSON.parse(entry.claims) as ManagedFieldsEntry[];
  entry.parsed = new WeakRef(object);
  return object;
}
