import type { AuthorityState } from '../../pki/authority-state.ts';
import { bundleVersion } from './cacerts-secret.ts';

/** Which bundle every replica of an istiod was seen to have loaded last, by control-plane namespace. */
export class LoadedBundles {
  readonly #versions = new Map<string, string>();
  readonly #onLoaded: (namespace: string) => void;

  /** `onLoaded` is called for a namespace when its bundle is another one. */
  constructor(onLoaded: (namespace: string) => void) {
    this.#onLoaded = onLoaded;
  }

  /** The version of the bundle (`bundleVersion`); undefined when none was seen. */
  versionIn(namespace: string): string | undefined {
    return this.#versions.get(namespace);
  }

  /** To be called when every replica has loaded the bundle of an authority. */
  note(namespace: string, state: AuthorityState): void {
    const version = bundleVersion(state);
    if (this.#versions.get(namespace) === version) return;
    this.#versions.set(namespace, version);
    this.#onLoaded(namespace);
  }

  /** Of a namespace whose last MeshOperator has gone. */
  forget(namespace: string): void {
    this.#versions.delete(namespace);
  }
}
