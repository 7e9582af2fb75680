import { kindInfo } from '../api/kinds.ts';
import { idOf, type KubernetesObject } from '../api/kubernetes-object.ts';
import { versionOfNone } from '../kube/apply/version-of-none.ts';
import type { KubeClient } from '../kube/client.ts';
import { Informer, type InformerDeps } from './informer.ts';

export interface VersionedSecretsOptions {
  readonly namespace: string;
  /** A label that all of them have, whatever its value, and no others in that namespace. */
  readonly label: string;
  readonly fieldManager: string;
}

/** The Secrets of one label in one namespace: read from a cache, and each written over the version that was read. */
export class VersionedSecrets {
  readonly informer: Informer;
  readonly namespace: string;
  readonly #fieldManager: string;
  readonly #client: KubeClient;

  constructor({ namespace, label, fieldManager }: VersionedSecretsOptions, deps: InformerDeps) {
    this.namespace = namespace;
    this.#fieldManager = fieldManager;
    this.#client = deps.client;
    this.informer = new Informer({ kind: kindInfo('v1', 'Secret'), namespace, labelSelector: label }, deps);
  }

  /** As the cache has it: shared, so never change it. */
  get(name: string): KubernetesObject | undefined {
    return this.informer.get(this.namespace, name);
  }

  /**
   * Writes over version `over`, or where that is undefined a new one, and gives what there is then. Throws ConflictError
   * when there is another version by now, whether the cache knows of it or not: then nothing is written.
   */
  async write(
    desired: KubernetesObject,
    over: string | undefined,
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    // Server-side apply from the first write on: what was created otherwise, no later write could take out.
    const metadata = { ...desired.metadata, resourceVersion: over ?? versionOfNone };
    const options = { fieldManager: this.#fieldManager, force: true };
    const written = await this.#client.apply({ ...desired, metadata }, options, signal);
    this.informer.observeWrite(written);
    return written;
  }

  /** Removes the one that the cache has, and no later one of its name. */
  async remove(name: string, signal: AbortSignal): Promise<void> {
    const secret = this.get(name);
    if (secret === undefined) return;
    const { uid } = secret.metadata;
    await this.#client.delete(idOf(secret), uid === undefined ? {} : { preconditions: { uid } }, signal);
  }
}
