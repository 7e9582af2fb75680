import { kindInfo } from '../../api/kinds.ts';
import { idOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { authorityLabel } from '../../api/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';
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
  readonly secrets: Informer;
  readonly #namespace: string;
  readonly #client: KubeClient;

  /** `namespace` is the operator's own. */
  constructor(namespace: string, deps: InformerDeps) {
    this.#namespace = namespace;
    this.#client = deps.client;
    this.secrets = new Informer(
      { kind: kindInfo('v1', 'Secret'), namespace, labelSelector: authorityLabel },
      deps,
    );
  }

  /** The authority of a control-plane namespace as the cache has it; undefined when there is none. */
  read(namespace: string): StoredAuthority | undefined {
    const secret = this.#secretOf(namespace);
    if (secret === undefined) return undefined;
    return { ...readAuthority(secret), version: secret.metadata.resourceVersion ?? '' };
  }

  /**
   * Writes over the very version that this was decided for, and gives the new one. Throws ConflictError when there is
   * another by now, whether the cache knows of it or not: then nothing is written.
   */
  async write(namespace: string, { state, over }: NextAuthority, signal: AbortSignal): Promise<string> {
    const desired = authoritySecret(this.#namespace, namespace, state);
    const written =
      over === undefined
        ? await this.#client.create(desired, { fieldManager: objectManager }, signal)
        : await this.#client.apply(
            {
              ...desired,
              metadata: { ...desired.metadata, resourceVersion: over },
            },
            { fieldManager: objectManager, force: true },
            signal,
          );
    this.secrets.observeWrite(written);
    return written.metadata.resourceVersion ?? '';
  }

  /** Removes an authority that nobody uses any more. */
  async remove(namespace: string, signal: AbortSignal): Promise<void> {
    const secret = this.#secretOf(namespace);
    if (secret === undefined) return;
    const { uid } = secret.metadata;
    await this.#client.delete(idOf(secret), uid === undefined ? {} : { preconditions: { uid } }, signal);
  }

  #secretOf(namespace: string): KubernetesObject | undefined {
    return this.secrets.get(this.#namespace, authoritySecretName(namespace));
  }
}
