import type { KindInfo } from '../api/kinds.ts';
import type { Informer } from './informer.ts';

/** The name of the CRD that brings a kind (apiextensions.k8s.io/v1: plural, then group). */
export function crdNameOf({ apiVersion, plural }: Pick<KindInfo, 'apiVersion' | 'plural'>): string {
  return `${plural}.${apiVersion.slice(0, apiVersion.indexOf('/'))}`;
}

/** Whether the CRD of a kind is there, as an informer over CRDs has it. */
export class ServedKind {
  readonly #crds: Informer;
  readonly #crd: string;
  #changed = Promise.withResolvers<void>();

  constructor(crds: Informer, kind: KindInfo) {
    this.#crds = crds;
    this.#crd = crdNameOf(kind);
    crds.addHandler(({ key }) => {
      if (key !== this.#crd) return;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    });
  }

  get isThere(): boolean {
    return this.#crds.get(undefined, this.#crd) !== undefined;
  }

  /** Waits for the CRD, then does `work` until the CRD is gone or `signal` is aborted; resolves when the work has ended. */
  async whileThere(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await this.#until(true, signal);
    if (signal.aborted) return;
    const stop = new AbortController();
    const gone = this.#until(false, AbortSignal.any([signal, stop.signal])).then(() => stop.abort());
    try {
      await work(AbortSignal.any([signal, stop.signal]));
    } finally {
      stop.abort();
      await gone;
    }
  }

  /** Resolves when the CRD is there, or not there, or the signal is aborted. */
  async #until(isThere: boolean, signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => aborted.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    while (!signal.aborted && this.isThere !== isThere) {
      await Promise.race([this.#changed.promise, aborted.promise]);
    }
    signal.removeEventListener('abort', onAbort);
  }
}
