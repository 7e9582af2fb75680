import { idOf, type KubernetesObject, type ObjectId } from '../../api/kubernetes-object.ts';
import { TerminalError } from '../../base/errors.ts';
import { subtract, union } from '../../inventory/inventory.ts';
import type { Wave } from '../../render/wave.ts';
import type { MeshPass } from './mesh-pass.ts';
import type { ObjectApplier } from './object-applier.ts';
import { unhealthyOf } from './object-health.ts';
import type { ObservedWorld } from './observed-world.ts';
import type { WaveReport } from './pass-report.ts';
import type { Pruner } from './pruner.ts';

export interface WaveApplierDeps {
  readonly world: ObservedWorld;
  readonly objects: ObjectApplier;
  readonly pruner: Pruner;
}

/** Applies what is rendered in the order in which its parts need each other; what came of it is in the pass. */
export class WaveApplier {
  readonly #deps: WaveApplierDeps;

  constructor(deps: WaveApplierDeps) {
    this.#deps = deps;
  }

  /**
   * Applies wave by wave, the next only when the last is healthy. A mesh that has been complete in this generation
   * is repaired whole: a sick istiod does not keep a deleted gateway from coming back.
   */
  async apply(pass: MeshPass, waves: readonly Wave[]): Promise<void> {
    const failures: unknown[] = [];
    for (const [index, wave] of waves.entries()) {
      try {
        const report = await this.#applyWave(pass, wave);
        pass.waves[index] = report;
        if (report.unhealthy.length > 0 && !pass.wasComplete) return;
      } catch (error) {
        if (!pass.wasComplete || pass.signal.aborted) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) throw mostTelling(failures);
  }

  /**
   * Which pods a control plane is for does not depend on its health: webhooks that there are follow the spec, and go with
   * it, even while their wave waits. So a sick one can be relieved of namespaces.
   */
  async followSelection(
    pass: MeshPass,
    waves: readonly Wave[],
    unwanted: readonly ObjectId[],
  ): Promise<void> {
    const { world, objects, pruner } = this.#deps;
    const waiting = waves.filter((_wave, index) => pass.waves[index]?.isApplied === false);
    for (const object of waiting.flatMap(({ objects }) => objects.filter(isSelection))) {
      if (world.find(idOf(object)) !== undefined) await objects.apply(pass, object);
    }
    const selections = unwanted.filter(isSelection);
    const leaving = await pruner.prune(pass.key, selections, pass.signal);
    pass.inventory = union(subtract(pass.inventory, selections), leaving);
  }

  async #applyWave(pass: MeshPass, wave: Wave): Promise<WaveReport> {
    const { objects } = this.#deps;
    const applied: KubernetesObject[] = [];
    for (const group of applyGroups(wave.objects)) {
      const settled = await Promise.allSettled(
        group.map((desired) =>
          pass.wasComplete && !isReleased(pass, desired)
            ? objects.repair(pass, desired)
            : objects.apply(pass, desired),
        ),
      );
      const failures = settled.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
      if (failures.length > 0) throw mostTelling(failures);
      applied.push(...settled.filter((result) => result.status === 'fulfilled').map(({ value }) => value));
    }
    const unhealthy = wave.name === 'other-revisions' ? [] : unhealthyOf(applied);
    return { name: wave.name, isApplied: true, unhealthy };
  }
}

/** True for a policy that this pass changes by a decision of ours: nobody else has. */
function isReleased({ mtls }: MeshPass, { kind }: KubernetesObject): boolean {
  return mtls?.isMoving === true && kind === 'PeerAuthentication';
}

/**
 * Objects that may be applied at the same time. Bindings come after roles: the API server looks the role up to see
 * that whoever binds it holds what it grants (RBAC escalation check).
 */
function applyGroups(objects: readonly KubernetesObject[]): KubernetesObject[][] {
  const isBinding = ({ kind }: KubernetesObject) => kind === 'RoleBinding' || kind === 'ClusterRoleBinding';
  const groups = [objects.filter((object) => !isBinding(object)), objects.filter(isBinding)];
  return groups.filter((group) => group.length > 0);
}

/** True for what decides which pods are injected. */
function isSelection({ kind }: { readonly kind: string }): boolean {
  return kind === 'MutatingWebhookConfiguration';
}

/** A person can act on a terminal error, so it is shown before those that may pass by themselves. */
function mostTelling(failures: readonly unknown[]): unknown {
  return failures.find((failure) => failure instanceof TerminalError) ?? failures[0];
}
