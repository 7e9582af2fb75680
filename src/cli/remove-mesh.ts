import { kindInfo } from '../api/kinds.ts';
import { idOf, idText, type KubernetesObject, type ObjectId } from '../api/kubernetes-object.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { WaitingError } from '../base/errors.ts';
import { IstiodLeftovers } from '../controllers/mesh/istiod-leftovers.ts';
import { hasMeshFinalizer, releaseMeshFinalizer } from '../controllers/mesh/mesh-finalizer.ts';
import { Pruner } from '../controllers/mesh/pruner.ts';
import { union } from '../inventory/inventory.ts';
import type { KubeClient } from '../kube/client.ts';
import { listAll } from './istio-kinds.ts';

export interface MeshRemovalDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Called with a line for a person when something new is waited for. */
  readonly onProgress: (line: string) => void;
}

/** How soon it looks again at what is being deleted. */
const retryMs = 500;

/**
 * Does for a MeshOperator that is being deleted what the operator would: removes what its status names, stage by stage,
 * then what istiod left, and lets go of it. For where no operator runs.
 */
export class MeshRemoval {
  readonly #deps: MeshRemovalDeps;
  readonly #pruner: Pruner;
  #said = '';

  constructor(deps: MeshRemovalDeps) {
    this.#deps = deps;
    this.#pruner = new Pruner({ client: deps.client, world: { find: () => undefined } });
  }

  /** Returns when the MeshOperator may go. Its control planes, where upgrades are `RevisionBased`, go the same way. */
  async remove(mesh: KubernetesObject, signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    const key = { namespace: mesh.metadata.namespace ?? '', name: mesh.metadata.name };
    let left = inventoryOf(mesh);
    for (;;) {
      left = await this.#pruner.removeInOrder(key, left, signal);
      if (left.length === 0) break;
      for (const id of left.filter(({ kind }) => kind === meshOperatorKind)) {
        const part = await client.find(id, signal);
        if (part?.metadata.deletionTimestamp !== undefined) await this.remove(part, signal);
      }
      await this.#wait(`${left.length} left, waits for ${idText(left[0] as ObjectId)}`, signal);
    }
    await this.#removeLeftovers(mesh, signal);
    const latest = await client.find(idOf(mesh), signal);
    if (latest !== undefined && latest.metadata.uid === mesh.metadata.uid && hasMeshFinalizer(latest)) {
      await releaseMeshFinalizer(client, latest, signal);
    }
  }

  async #removeLeftovers(mesh: KubernetesObject, signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    const all = await listAll(client, kindInfo(meshOperatorApiVersion, meshOperatorKind), signal);
    const leftovers = new IstiodLeftovers({ client, world: { meshes: () => all } });
    for (;;) {
      try {
        return await leftovers.remove(mesh, signal);
      } catch (error) {
        if (!(error instanceof WaitingError)) throw error;
        await this.#wait(error.message, signal);
      }
    }
  }

  async #wait(line: string, signal: AbortSignal): Promise<void> {
    if (line !== this.#said) this.#deps.onProgress(line);
    this.#said = line;
    await sleep(this.#deps.clock, retryMs, signal);
  }
}

/** What was made for a mesh, as its status names it. */
export function inventoryOf(mesh: KubernetesObject): readonly ObjectId[] {
  return union(((mesh as unknown as MeshOperator).status?.inventory ?? []) as ObjectId[], []);
}
