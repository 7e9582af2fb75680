import type { KindInfo } from '../api/kinds.ts';
import type { Informer } from './informer.ts';

/** The name of the CRD that brings a kind (apiextensions.k8s.io/v1: plural, then group). */
export function crdNameOf({ apiVersion, plural }: Pick<KindInfo, 'apiVersion' | 'plural'>): string {
  return `${plural}.${apiVersion.slice(0, apiVersion.indexOf('/'))}`;
}

export interface ServedKindDeps {
  /** Over the CRDs of the cluster. */
  readonly crds: Informer;
  /** Over what may want the kind; whoever lists it first says so before anything is decided. */
  readonly users: Informer;
}

/** A kind that a CRD brings: whether it is there, and whether anybody wants it, so that it is worth a watch. */
export class ServedKind {
  readonly kind: KindInfo;
  readonly #deps: ServedKindDeps;
  readonly #crd: string;
  #isWanted = false;
  #changed = Promise.withResolvers<void>();

  constructor(kind: KindInfo, deps: ServedKindDeps) {
    this.kind = kind;
    this.#deps = deps;
    this.#crd = crdNameOf(kind);
    deps.crds.addHandler(({ key }) => {
      if (key === this.#crd) this.#tell();
    });
  }

  /** True while the cluster has its CRD. */
  get isThere(): boolean {
    return this.#deps.crds.get(undefined, this.#crd) !== undefined;
  }

  /** True when its objects should be known. */
  get isFollowed(): boolean {
    return this.#isWanted && this.isThere;
  }

  /** From here on it is followed while it is there. */
  want(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#tell();
  }

  /** Resolves when `isFollowed` can be told, or the signal is aborted. */
  async whenKnown(signal: AbortSignal): Promise<void> {
    const { crds, users } = this.#deps;
    await Promise.all([crds.waitForSync(signal), users.waitForSync(signal)]).catch(() => undefined);
  }

  /** Waits until it is to be followed, then does `work` until it is not or `signal` is aborted; resolves when the work has ended. */
  async whileFollowed(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await this.#until(true, signal);
    if (signal.aborted) return;
    const stop = new AbortController();
    const ended = this.#until(false, AbortSignal.any([signal, stop.signal])).then(() => stop.abort());
    try {
      await work(AbortSignal.any([signal, stop.signal]));
    } finally {
      stop.abort();
      await ended;
    }
  }

  async #until(isFollowed: boolean, signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => aborted.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    while (!signal.aborted && this.isFollowed !== isFollowed) {
      await Promise.race([this.#changed.promise, aborted.promise]);
    }
    signal.removeEventListener('abort', onAbort);
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
