import type { KindInfo } from '../api/kinds.ts';
import { type KubernetesObject, keyText, type ObjectKey } from '../api/kubernetes-object.ts';
import { Informer, type InformerDeps } from './informer.ts';

/** One object that is watched for one watcher. */
interface Source {
  readonly object: ObjectKey;
  readonly informer: Informer;
  readonly stop: AbortController;
}

/**
 * One object of a kind for each watcher, such as the one that the spec of a mesh names. Each is watched by itself, from
 * when it is first asked for: the operator keeps no other object of anybody in its memory.
 */
export class WatchedObjects<Watcher extends ObjectKey = ObjectKey> {
  readonly #kind: KindInfo;
  readonly #deps: InformerDeps;
  readonly #onChange: (watcher: Watcher) => void;
  readonly #identity: (watcher: Watcher) => string;
  readonly #sources = new Map<string, Source>();

  constructor(
    kind: KindInfo,
    deps: InformerDeps,
    onChange: (watcher: Watcher) => void,
    identity: (watcher: Watcher) => string = keyText,
  ) {
    this.#kind = kind;
    this.#deps = deps;
    this.#onChange = onChange;
    this.#identity = identity;
  }

  /** The object as it is now, undefined when there is none; waits for it to be read when it is new. */
  async read(
    watcher: Watcher,
    object: ObjectKey,
    signal: AbortSignal,
  ): Promise<KubernetesObject | undefined> {
    const { informer } = this.#sourceFor(watcher, object);
    await informer.waitForSync(signal);
    return informer.get(object.namespace, object.name);
  }

  /** Stops watching for one that names nothing any more. */
  forget(watcher: Watcher): void {
    const identity = this.#identity(watcher);
    this.#sources.get(identity)?.stop.abort();
    this.#sources.delete(identity);
  }

  #sourceFor(watcher: Watcher, object: ObjectKey): Source {
    const known = this.#sources.get(this.#identity(watcher));
    if (known !== undefined && keyText(known.object) === keyText(object)) return known;
    this.forget(watcher);
    const { namespace, name } = object;
    const informer = new Informer(
      { kind: this.#kind, namespace, fieldSelector: `metadata.name=${name}` },
      this.#deps,
    );
    const stop = new AbortController();
    informer.addHandler(() => this.#onChange(watcher));
    void informer.run(stop.signal);
    const source = { object, informer, stop };
    this.#sources.set(this.#identity(watcher), source);
    return source;
  }
}
