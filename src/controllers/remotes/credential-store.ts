import { remoteLabel } from '../../api/labels.ts';
import type { Informer, InformerDeps } from '../../runtime/informer.ts';
import { VersionedSecrets } from '../../runtime/versioned-secrets.ts';
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
  readonly #secrets: VersionedSecrets;

  /** `namespace` is the operator's own. */
  constructor(namespace: string, deps: InformerDeps) {
    this.#secrets = new VersionedSecrets(
      { namespace, label: remoteLabel, fieldManager: objectManager },
      deps,
    );
  }

  get secrets(): Informer {
    return this.#secrets.informer;
  }

  /** As the cache has it; nothing where there is none. */
  read(key: CredentialKey): CredentialState {
    const secret = this.#secrets.get(credentialSecretName(key));
    return secret === undefined ? {} : readCredential(secret);
  }

  /** The other clusters that a mesh has, or had, a credential for. */
  clustersOf(mesh: CredentialKey['mesh']): string[] {
    return [...this.secrets.values()].flatMap((secret) => {
      const key = credentialKeyOf(secret);
      return key?.mesh.namespace === mesh.namespace && key.mesh.name === mesh.name ? [key.clusterName] : [];
    });
  }

  /** Whether another mesh of the namespace has, or had, a credential for the same cluster. */
  isHeldByOther({ mesh, clusterName }: CredentialKey): boolean {
    return [...this.secrets.values()].some((secret) => {
      const key = credentialKeyOf(secret);
      const isSame = key?.clusterName === clusterName && key.mesh.namespace === mesh.namespace;
      return isSame && key.mesh.name !== mesh.name;
    });
  }

  /** Writes over what the cache has. Throws ConflictError when somebody else has written meanwhile: then nothing is written. */
  async write(key: CredentialKey, state: CredentialState, signal: AbortSignal): Promise<void> {
    const desired = credentialSecret(this.#secrets.namespace, key, state);
    const over = this.#secrets.get(desired.metadata.name)?.metadata.resourceVersion;
    await this.#secrets.write(desired, over, signal);
  }

  remove(key: CredentialKey, signal: AbortSignal): Promise<void> {
    return this.#secrets.remove(credentialSecretName(key), signal);
  }
}
