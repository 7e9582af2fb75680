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
  read(namespace: string): AuthorityReading | undefined {
    const secret = this.#secretOf(namespace);
    return secret === undefined ? undefined : readAuthority(secret);
  }

  /**
   * Writes what follows from what `read` last gave. Throws ConflictError when it has changed since, or exists although
   * it did not: then nothing is written.
   */
  async write(namespace: string, state: AuthorityState, signal: AbortSignal): Promise<void> {
    const observed = this.#secretOf(namespace);
    const desired = authoritySecret(this.#namespace, namespace, state);
    const written =
      observed === undefined
        ? await this.#client.create(desired, { fieldManager: objectManager }, signal)
        : await this.#client.apply(
            {
              ...desired,
              metadata: { ...desired.metadata, resourceVersion: observed.metadata.resourceVersion ?? '' },
            },
            { fieldManager: objectManager, force: true },
            signal,
          );
    this.secrets.observeWrite(written);
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
