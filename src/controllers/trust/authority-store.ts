import { authorityLabel } from '../../api/labels.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import type { Informer, InformerDeps } from '../../runtime/informer.ts';
import { VersionedSecrets } from '../../runtime/versioned-secrets.ts';
import {
  type AuthorityReading,
  authoritySecret,
  authoritySecretName,
  readAuthority,
} from './authority-secret.ts';
import { objectManager } from './field-managers.ts';

/** An authority as the cache has it, and the version of its Secret, which names what a step was decided for. */
export type StoredAuthority = AuthorityReading & { readonly version: string };

/** What follows from a stored authority, or from there being none. */
export interface NextAuthority {
  readonly state: AuthorityState;
  /** The version that it was decided for; undefined when there was none. */
  readonly over: string | undefined;
}

/** The authorities of a cluster: one Secret for each control-plane namespace, in the operator's own. */
export class AuthorityStore {
  readonly #secrets: VersionedSecrets;

  /** `namespace` is the operator's own. */
  constructor(namespace: string, deps: InformerDeps) {
    this.#secrets = new VersionedSecrets(
      { namespace, label: authorityLabel, fieldManager: objectManager },
      deps,
    );
  }

  get secrets(): Informer {
    return this.#secrets.informer;
  }

  /** The authority of a control-plane namespace as the cache has it; undefined when there is none. */
  read(namespace: string): StoredAuthority | undefined {
    const secret = this.#secrets.get(authoritySecretName(namespace));
    if (secret === undefined) return undefined;
    return { ...readAuthority(secret), version: secret.metadata.resourceVersion ?? '' };
  }

  /**
   * Writes over the very version that this was decided for, and gives the new one. Throws ConflictError when there is
   * another by now, whether the cache knows of it or not: then nothing is written.
   */
  async write(namespace: string, { state, over }: NextAuthority, signal: AbortSignal): Promise<string> {
    const desired = authoritySecret(this.#secrets.namespace, namespace, state);
    const written = await this.#secrets.write(desired, over, signal);
    return written.metadata.resourceVersion ?? '';
  }

  /** Removes an authority that nobody uses any more. */
  remove(namespace: string, signal: AbortSignal): Promise<void> {
    return this.#secrets.remove(authoritySecretName(namespace), signal);
  }
}
