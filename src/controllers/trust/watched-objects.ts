import type { KindInfo } from '../../api/kinds.ts';
import { type KubernetesObject, keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';

/** One object that is watched for one mesh. */
interface Source {
  readonly object: ObjectKey;
  readonly informer: Informer;
  readonly stop: AbortController;
}

/**
 * One object of a kind for each mesh, which its spec names. Each is watched by itself, from when a mesh first asks for
 * it: the operator keeps no other object of anybody in its memory.
 */
export class WatchedObjects {
  readonly #kind: KindInfo;
  readonly #deps: InformerDeps;
  readonly #onChange: (mesh: ObjectKey) => void;
  readonly #sources = new Map<string, Source>();

  constructor(kind: KindInfo, deps: InformerDeps, onChange: (mesh: ObjectKey) => void) {
    this.#kind = kind;
    this.#deps = deps;
    this.#onChange = onChange;
  }

  /** The object as it is now, undefined when there is none; waits for it to be read when it is new. */
  async read(mesh: ObjectKey, object: ObjectKey, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    const { informer } = this.#sourceFor(mesh, object);
    await informer.waitForSync(signal);
    return informer.get(object.namespace, object.name);
  }

  /** Stops watching for a mesh that names nothing any more. */
  forget(mesh: ObjectKey): void {
    this.#sources.get(keyText(mesh))?.stop.abort();
    this.#sources.delete(keyText(mesh));
  }

  #sourceFor(mesh: ObjectKey, object: ObjectKey): Source {
    const known = this.#sources.get(keyText(mesh));
    if (known !== undefined && keyText(known.object) === keyText(object)) return known;
    this.forget(mesh);
    const { namespace, name } = object;
    const informer = new Informer(
      { kind: this.#kind, namespace, fieldSelector: `metadata.name=${name}` },
      this.#deps,
    );
    const stop = new AbortController();
    informer.addHandler(() => this.#onChange(mesh));
    void informer.run(stop.signal);
    const source = { object, informer, stop };
    this.#sources.set(keyText(mesh), source);
    return source;
  }
}
