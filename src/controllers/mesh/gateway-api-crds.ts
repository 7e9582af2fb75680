import type { GatewayApiChannel } from '../../api/gateway-api.ts';
import { idOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { ConflictError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { renderGatewayApiCrds } from '../../render/gateway-api-crds.ts';
import type { Informer } from '../../runtime/informer.ts';
import { crdManager } from './field-managers.ts';

export interface GatewayApiCrdsDeps {
  readonly client: KubeClient;
  /** Over CRDs that carry our label. */
  readonly informer: Informer;
}

/**
 * Makes the CRDs of the Gateway API where they are missing. Many tools bring them, so one that is there is never changed,
 * whoever has made it and whatever its version or channel is.
 */
export class GatewayApiCrds {
  readonly #deps: GatewayApiCrdsDeps;
  /** Channels whose CRDs were all seen; one that is deleted later comes back when its mesh is looked at by a new process. */
  readonly #seen = new Set<GatewayApiChannel>();

  constructor(deps: GatewayApiCrdsDeps) {
    this.#deps = deps;
  }

  async ensure(channel: GatewayApiChannel, signal: AbortSignal): Promise<void> {
    if (this.#seen.has(channel)) return;
    await Promise.all(renderGatewayApiCrds(channel).map((crd) => this.#ensureOne(crd, signal)));
    this.#seen.add(channel);
  }

  async #ensureOne(crd: KubernetesObject, signal: AbortSignal): Promise<void> {
    const { client, informer } = this.#deps;
    if (informer.get(undefined, crd.metadata.name) !== undefined) return;
    if ((await client.find(idOf(crd), signal)) !== undefined) return;
    try {
      informer.observeWrite(await client.create(crd, { fieldManager: crdManager }, signal));
    } catch (error) {
      // Somebody else was faster.
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}
