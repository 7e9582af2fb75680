import {
  type KubernetesObject,
  keyText,
  type ObjectId,
  type ObjectKey,
} from '../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../api/labels.ts';
import { union } from '../../inventory/inventory.ts';
import { pruneStages } from '../../inventory/prune-order.ts';
import type { DeleteOptions, KubeClient } from '../../kube/client.ts';
import { objectManager } from './field-managers.ts';
import type { ObservedWorld } from './observed-world.ts';

export interface PrunerDeps {
  readonly client: KubeClient;
  /** What is known without asking; objects that it does not have are asked for. */
  readonly world: Pick<ObservedWorld, 'find'>;
}

/** Deletes objects that a mesh no longer wants, and never one that belongs to somebody else. */
export class Pruner {
  readonly #deps: PrunerDeps;

  constructor(deps: PrunerDeps) {
    this.#deps = deps;
  }

  /** Deletes all of them; returns those that are not gone yet. */
  async prune(mesh: ObjectKey, ids: readonly ObjectId[], signal: AbortSignal): Promise<readonly ObjectId[]> {
    const left = await Promise.all(
      ids.map(async (id) => ((await this.#isGone(mesh, id, signal)) ? [] : [id])),
    );
    return union(left.flat(), []);
  }

  /**
   * Deletes stage after stage, the next only when the last is gone: webhooks before what answers them, roles after
   * what uses them. Returns what is left, those first that hold up the rest; call again when something is gone.
   */
  async removeInOrder(
    mesh: ObjectKey,
    ids: readonly ObjectId[],
    signal: AbortSignal,
  ): Promise<readonly ObjectId[]> {
    const stages = pruneStages(ids);
    for (const [index, stage] of stages.entries()) {
      const left = await this.prune(mesh, stage, signal);
      if (left.length > 0) return [...left, ...stages.slice(index + 1).flat()];
    }
    return [];
  }

  /** True when the object is gone or was never ours; otherwise its deletion has been asked for. */
  async #isGone(mesh: ObjectKey, id: ObjectId, signal: AbortSignal): Promise<boolean> {
    const { client, world } = this.#deps;
    const cached = world.find(id);
    // Somebody may have taken our label away, so a cache that selects on it cannot prove that an object is gone.
    const observed = cached ?? (await client.find(id, signal));
    if (observed === undefined || !belongsTo(mesh, observed)) return true;
    if (observed.metadata.deletionTimestamp !== undefined) return false;
    await client.delete(id, { ...uidOf(observed), ...propagationOf(id) }, signal);
    return false;
  }
}

/** True for an object of this mesh: by its labels, or, where somebody took those away, by the fields that we own. */
export function belongsTo(mesh: ObjectKey, observed: KubernetesObject): boolean {
  const owner = ownerByLabels(observed.metadata.labels);
  if (owner !== undefined) return keyText(owner) === keyText(mesh);
  return isAppliedByUs(observed);
}

/** True when our field manager has applied the object. */
export function isAppliedByUs(observed: KubernetesObject): boolean {
  const claims = observed.metadata.managedFields ?? [];
  return claims.some((claim) => claim.manager === objectManager && claim.operation === 'Apply');
}

/** Pods of nodes clean up after themselves, by their rights: these stay until the last of them is gone. */
function propagationOf({ kind }: ObjectId): DeleteOptions {
  return kind === 'DaemonSet' ? { propagation: 'Foreground' } : {};
}

function uidOf(observed: KubernetesObject) {
  return observed.metadata.uid === undefined ? {} : { preconditions: { uid: observed.metadata.uid } };
}
