import {
  type KubernetesObject,
  keyText,
  type ObjectId,
  type ObjectKey,
} from '../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../api/labels.ts';
import { meshOperatorKind } from '../../api/mesh-operator.ts';
import { union } from '../../inventory/inventory.ts';
import { isWebhookConfiguration, pruneStages } from '../../inventory/prune-order.ts';
import type { DeleteOptions, KubeClient } from '../../kube/client.ts';
import { objectManager } from './field-managers.ts';
import { type Lingering, refusalOf } from './lingering.ts';
import { hasMeshFinalizer } from './mesh-finalizer.ts';
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
      ids.map(async (id) => {
        const observed = await this.#observe(mesh, id, signal);
        if (observed === undefined) return [];
        await this.#delete(id, observed, signal);
        return [id];
      }),
    );
    return union(left.flat(), []);
  }

  /** Deletes them stage by stage, as at removal: the next one when the last is gone. Returns what is still to go. */
  async pruneInOrder(
    mesh: ObjectKey,
    ids: readonly ObjectId[],
    signal: AbortSignal,
  ): Promise<readonly ObjectId[]> {
    const stages = pruneStages(ids);
    for (const [index, stage] of stages.entries()) {
      const leaving = await this.prune(mesh, stage, signal);
      if (leaving.length > 0) return union(leaving, stages.slice(index + 1).flat());
    }
    return [];
  }

  /**
   * Deletes all of them, one without regard to the others: a refusal is part of the answer. A webhook configuration that does
   * not go is disarmed, since what answers it goes next.
   */
  async remove(
    mesh: ObjectKey,
    ids: readonly ObjectId[],
    signal: AbortSignal,
  ): Promise<readonly Lingering[]> {
    const found = await Promise.all(ids.map((id) => this.#remove(mesh, id, signal)));
    return found.filter((lingering) => lingering !== undefined);
  }

  async #remove(mesh: ObjectKey, id: ObjectId, signal: AbortSignal): Promise<Lingering | undefined> {
    let observed: KubernetesObject | undefined;
    let refusal: string | undefined;
    try {
      observed = await this.#observe(mesh, id, signal);
      if (observed === undefined) return undefined;
      await this.#delete(id, observed, signal);
    } catch (error) {
      refusal = refusalOf(error, signal);
    }
    const isHeld = refusal !== undefined || observed?.metadata.deletionTimestamp !== undefined;
    return {
      id,
      finalizers: observed?.metadata.finalizers ?? [],
      ...(refusal === undefined ? {} : { refusal }),
      mayBeLeft: isHeld && (await this.#isHarmless(id, observed, signal)),
    };
  }

  async #isHarmless(
    id: ObjectId,
    observed: KubernetesObject | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (id.kind === meshOperatorKind) return observed !== undefined && !hasMeshFinalizer(observed);
    if (!isWebhookConfiguration(id)) return true;
    if (observed === undefined) return false;
    if (!Array.isArray(observed.webhooks) || observed.webhooks.length === 0) return true;
    try {
      const options = { fieldManager: objectManager };
      await this.#deps.client.patch(id, { type: 'merge', merge: { webhooks: [] } }, options, signal);
      return true;
    } catch (error) {
      refusalOf(error, signal); // Says the same as the refused deletion, or is seen at the next look.
      return false;
    }
  }

  /** The object as long as it is there and belongs to this mesh. */
  async #observe(mesh: ObjectKey, id: ObjectId, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    const { client, world } = this.#deps;
    // Somebody may have taken our label away, so a cache that selects on it cannot prove that an object is gone.
    const observed = world.find(id) ?? (await client.find(id, signal));
    return observed !== undefined && belongsTo(mesh, observed) ? observed : undefined;
  }

  async #delete(id: ObjectId, { metadata }: KubernetesObject, signal: AbortSignal): Promise<void> {
    if (metadata.deletionTimestamp !== undefined) return;
    const options = metadata.uid === undefined ? {} : { preconditions: { uid: metadata.uid } };
    await this.#deps.client.delete(id, { ...options, ...propagationOf(id) }, signal);
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
