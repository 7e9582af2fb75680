import type { KubernetesObject, ObjectId } from '../../api/kubernetes-object.ts';
import type { Clock } from '../../base/clock.ts';
import { union } from '../../inventory/inventory.ts';
import { pruneStages } from '../../inventory/prune-order.ts';
import type { IstiodLeftovers } from './istiod-leftovers.ts';
import { type Lingering, lingeringText } from './lingering.ts';
import type { Pruner } from './pruner.ts';
import { type RemovalHold, RemovalWait } from './removal-wait.ts';

export interface MeshRemoverDeps {
  readonly pruner: Pruner;
  readonly leftovers: IstiodLeftovers;
  readonly clock: Clock;
  /** How long nothing may go before the mesh goes without what holds it. */
  readonly deadlineMs: number;
}

/** How far the removal of a mesh is after one step. */
export interface RemovalReport extends RemovalHold {
  /** What was made for the mesh and is not gone, `held` and `leftBehind` included. */
  readonly remaining: readonly ObjectId[];
  /** What has not gone in time and is left to others. */
  readonly leftBehind: readonly Lingering[];
}

/**
 * Removes what was made for a mesh, stage after stage, the next only when the last is gone, then what istiod itself left.
 * What does not go within the deadline is left behind, unless it would do harm. The deadline is counted in memory, from
 * when something has last gone: in a new process it begins anew.
 */
export class MeshRemover {
  readonly #deps: MeshRemoverDeps;
  /** By UID of the MeshOperator. */
  readonly #waits = new Map<string, RemovalWait>();

  constructor(deps: MeshRemoverDeps) {
    this.#deps = deps;
  }

  /** Goes as far as it can now. `known`: everything that was made for the mesh. */
  async step(
    mesh: KubernetesObject,
    known: readonly ObjectId[],
    signal: AbortSignal,
  ): Promise<RemovalReport> {
    const { pruner, leftovers, clock, deadlineMs } = this.#deps;
    const { namespace = '', name, uid = '' } = mesh.metadata;
    const wait = this.#waits.get(uid) ?? new RemovalWait(clock, deadlineMs);
    this.#waits.set(uid, wait);
    const leftBehind: Lingering[] = [];
    const remaining: ObjectId[] = [];
    const stages = pruneStages(known);
    const steps = [
      ...stages.map((stage) => () => pruner.remove({ namespace, name }, stage, signal)),
      () => leftovers.runningPods(mesh, signal),
      () => leftovers.remove(mesh, signal),
    ];
    for (const [index, remove] of steps.entries()) {
      const found = await remove();
      if (index < stages.length) remaining.push(...found.map(({ id }) => id));
      const { held, givenUp } = wait.judge(index, found);
      leftBehind.push(...givenUp);
      if (held.length > 0) {
        const later = stages.slice(index + 1).flat();
        return { ...wait.report(held), leftBehind, remaining: union(remaining, later) };
      }
    }
    return { held: [], leftBehind, remaining: union(remaining, []) };
  }

  /** Drops what it remembers of a mesh that is gone. */
  forget(mesh: KubernetesObject): void {
    this.#waits.delete(mesh.metadata.uid ?? '');
  }
}

/** What a person has to know of a mesh that went without these. */
export function leftBehindText(left: readonly Lingering[]): string {
  return `The mesh goes without what did not go in time, and leaves behind ${left.map(lingeringText).join(', ')}`;
}
