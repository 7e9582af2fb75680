import { type KubernetesObject, keyText, type ObjectKey } from '../api/kubernetes-object.ts';
import { objectKeyOf } from './informer-events.ts';

interface Entry<T> {
  readonly uid: string;
  readonly memory: T;
}

/**
 * What a reconciler remembers of each object between its passes. An object that is made again under the same name
 * begins anew, and one that is gone is forgotten by its key, which is all that is left of it then.
 */
export class ObjectMemory<T> {
  readonly #create: () => T;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(create: () => T) {
    this.#create = create;
  }

  of(object: KubernetesObject): T {
    const { uid = '' } = object.metadata;
    const key = keyText(objectKeyOf(object));
    const known = this.#entries.get(key);
    if (known?.uid === uid) return known.memory;
    const memory = this.#create();
    this.#entries.set(key, { uid, memory });
    return memory;
  }

  /** Returns the uid of what is forgotten; undefined when nothing was remembered. */
  forget(key: ObjectKey): string | undefined {
    const uid = this.#entries.get(keyText(key))?.uid;
    this.#entries.delete(keyText(key));
    return uid;
  }
}
