import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { memberLabel } from '../../api/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { memberManager } from './field-managers.ts';
import type { ObservedWorld } from './observed-world.ts';

export interface MemberNamespacesDeps {
  readonly client: KubeClient;
  readonly world: Pick<ObservedWorld, 'observeNamespace'>;
}

/**
 * Writes the operator's labels on namespaces of a tenant: by server-side apply without force, so that a label that
 * somebody else has set otherwise is a ConflictError and stays. A namespace that has gone meanwhile is not made again.
 */
export class MemberNamespaces {
  readonly #deps: MemberNamespacesDeps;

  constructor(deps: MemberNamespacesDeps) {
    this.#deps = deps;
  }

  /** Gives it all labels of a member, after everything else is there. */
  async enrol(
    namespace: KubernetesObject,
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#write(namespace, labels, signal);
  }

  /** Takes the labels that it is discovered and injected by, before anything else goes; what remains says whose it was. */
  async withdraw(namespace: KubernetesObject, tenant: string, signal: AbortSignal): Promise<void> {
    await this.#write(namespace, { [memberLabel]: tenant }, signal);
  }

  /** Removes the roots that istiod has put there, and the last label, when nothing else is left. */
  async release(
    namespace: KubernetesObject,
    bundleName: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (bundleName !== undefined) await this.removeBundle(namespace.metadata.name, bundleName, signal);
    await this.#write(namespace, {}, signal);
  }

  /** The roots that istiod has put into a namespace; nothing where there are none. */
  async removeBundle(namespace: string, name: string, signal: AbortSignal): Promise<void> {
    await this.#deps.client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }, {}, signal);
  }

  async #write(
    { metadata }: KubernetesObject,
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, uid } = metadata;
    const { client, world } = this.#deps;
    const object = {
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      // With the UID, a namespace that has gone is a conflict instead of a new one.
      metadata: { name, ...(uid === undefined ? {} : { uid }), labels: { ...labels } },
    };
    world.observeNamespace(await client.apply(object, { fieldManager: memberManager }, signal));
  }
}
