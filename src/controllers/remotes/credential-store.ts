import { kindInfo } from '../../api/kinds.ts';
import { idOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { remoteLabel } from '../../api/labels.ts';
import { versionOfNone } from '../../kube/apply/version-of-none.ts';
import type { KubeClient } from '../../kube/client.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';
import {
  type CredentialKey,
  credentialKeyOf,
  credentialSecret,
  credentialSecretName,
  readCredential,
} from './credential-secret.ts';
import type { CredentialState } from './credential-state.ts';
import { objectManager } from './field-managers.ts';

/** The credentials for other clusters: one Secret for each mesh and cluster, in the operator's own namespace. */
export class CredentialStore {
  readonly secrets: Informer;
  readonly #namespace: string;
  readonly #client: KubeClient;

  /** `namespace` is the operator's own. */
  constructor(namespace: string, deps: InformerDeps) {
    this.#namespace = namespace;
    this.#client = deps.client;
    this.secrets = new Informer(
      { kind: kindInfo('v1', 'Secret'), namespace, labelSelector: remoteLabel },
      deps,
    );
  }

  /** As the cache has it; nothing where there is none. */
  read(key: CredentialKey): CredentialState {
    const secret = this.#find(key);
    return secret === undefined ? {} : readCredential(secret);
  }

  /** The other clusters that a mesh has, or had, a credential for. */
  clustersOf(mesh: CredentialKey['mesh']): string[] {
    return [...this.secrets.values()].flatMap((secret) => {
      const key = credentialKeyOf(secret);
      return key?.mesh.namespace === mesh.namespace && key.mesh.name === mesh.name ? [key.clusterName] : [];
    });
  }

  /** Writes over what the cache has. Throws ConflictError when somebody else has written meanwhile: then nothing is written. */
  async write(key: CredentialKey, state: CredentialState, signal: AbortSignal): Promise<void> {
    const desired = credentialSecret(this.#namespace, key, state);
    // Server-side apply from the first write on: what was created otherwise, no later write could take out.
    const resourceVersion = this.#find(key)?.metadata.resourceVersion ?? versionOfNone;
    const written = await this.#client.apply(
      { ...desired, metadata: { ...desired.metadata, resourceVersion } },
      { fieldManager: objectManager, force: true },
      signal,
    );
    this.secrets.observeWrite(written);
  }

  async remove(key: CredentialKey, signal: AbortSignal): Promise<void> {
    const secret = this.#find(key);
    if (secret !== undefined) await this.#client.delete(idOf(secret), {}, signal);
  }

  #find(key: CredentialKey): KubernetesObject | undefined {
    return this.secrets.get(this.#namespace, credentialSecretName(key));
  }
}
