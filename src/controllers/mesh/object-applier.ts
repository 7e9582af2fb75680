import { ignoredAt } from '../../api/ignore.ts';
import { idOf, idText, type KubernetesObject, type ObjectId } from '../../api/kubernetes-object.ts';
import { meshOperatorKind } from '../../api/mesh-operator.ts';
import type { Clock } from '../../base/clock.ts';
import { NotFoundError, WaitingError } from '../../base/errors.ts';
import type { Applier, ApplyResult } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import { driftText } from '../../kube/diff/drift.ts';
import type { EventNote, EventRecorder } from '../../kube/event-recorder.ts';
import type { AuthorCheck } from './author-check.ts';
import { fightMessage, fightOver, recordRepair, recordYielded } from './drift-ledger.ts';
import type { MeshPass } from './mesh-pass.ts';
import type { ObservedWorld } from './observed-world.ts';
import { isUnwatched, missingKindMessage, type OptionalKind, optionalKind } from './owned-kinds.ts';
import { refuseForeign } from './refuse-foreign.ts';

export interface ObjectApplierDeps {
  readonly client: KubeClient;
  readonly applier: Applier;
  readonly world: ObservedWorld;
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** Seals the control planes of a mesh, which are MeshOperators of their own. */
  readonly authors?: AuthorCheck | undefined;
}

type Outcome = Pick<ApplyResult, 'object' | 'outcome' | 'drift'>;

/** How long to wait for what an object needs and that does not exist: its namespace, or its kind. */
const missingRetryMs = 10_000;

/**
 * Brings an object of a mesh to what is rendered. One that belongs to somebody else is refused; one that somebody does not
 * stop changing, or keeps from us, is left as it is, which the pass says.
 */
export class ObjectApplier {
  readonly #deps: ObjectApplierDeps;

  constructor(deps: ObjectApplierDeps) {
    this.#deps = deps;
  }

  /** Returns the object as it is in the cluster afterwards. */
  async apply(pass: MeshPass, rendered: KubernetesObject): Promise<KubernetesObject> {
    return (await this.#bring(pass, rendered)).object;
  }

  /** The same for an object of a mesh that was complete: what differs is a change of somebody else, which is told. */
  async repair(pass: MeshPass, rendered: KubernetesObject): Promise<KubernetesObject> {
    const result = await this.#bring(pass, rendered);
    if (result.outcome !== 'unchanged') {
      const id = idOf(result.object);
      this.#note(pass, repairNote(id, result));
      pass.drift = recordRepair(pass.drift, id, result.drift, this.#deps.clock.now());
    }
    return result.object;
  }

  async #bring(pass: MeshPass, rendered: KubernetesObject): Promise<Outcome> {
    const authors = rendered.kind === meshOperatorKind ? this.#deps.authors : undefined;
    const desired = authors === undefined ? rendered : authors.sealed(rendered);
    const id = idOf(desired);
    const { client, world } = this.#deps;
    const optional = optionalKind(id);
    if (optional !== undefined && !world.serves(optional.kind)) throw missingKind(id, optional);
    const observed = isUnwatched(id) ? await client.find(id, pass.signal) : world.find(id);
    refuseForeign(pass.key, observed);
    if (observed !== undefined && authors?.maySeal(rendered, observed) === false) return leftAsIs(observed);
    const plan = observed === undefined ? undefined : pass.adoption?.planFor(desired, observed);
    const wanted = plan?.desired ?? desired;
    if (observed !== undefined && this.#isLeftAlone(pass, wanted, observed)) return leftAsIs(observed);
    const current =
      plan === undefined || observed === undefined
        ? observed
        : await this.#deps.applier.takeOver(observed, plan.takeOver, pass.signal);
    const result = await this.#deps.applier
      .apply(wanted, current, pass.signal)
      .catch((error: unknown) => this.#rethrowExplained(error, id, pass.signal));
    if (result.outcome !== 'unchanged') {
      pass.log.info('Applied object', { object: idText(id), outcome: result.outcome });
    }
    return result;
  }

  /** True for an object that its annotation keeps from us, and for one that somebody else does not stop changing. */
  #isLeftAlone(pass: MeshPass, desired: KubernetesObject, observed: KubernetesObject): boolean {
    const { clock, applier } = this.#deps;
    const now = clock.now();
    const id = idOf(desired);
    const ignored = ignoredAt(observed, now);
    if (ignored !== undefined) {
      pass.ignored.push({ object: idText(id), ...ignored });
      return true;
    }
    const fight = fightOver(pass.drift, id, () => applier.driftOf(desired, observed), now);
    if (fight === undefined) return false;
    if (fight.action !== 'LeftAlone') {
      this.#note(pass, { type: 'Warning', reason: 'FieldConflict', message: fightMessage(fight) });
      pass.drift = recordYielded(pass.drift, fight);
    }
    pass.fights.push(fight);
    return true;
  }

  /** Where an object cannot be made because its namespace or kind is missing, says so: the API server's own words do not help. */
  async #rethrowExplained(error: unknown, id: ObjectId, signal: AbortSignal): Promise<never> {
    if (!(error instanceof NotFoundError) || id.namespace === undefined) throw error;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: id.namespace };
    if ((await this.#deps.client.find(namespace, signal)) !== undefined) {
      const optional = optionalKind(id);
      throw optional === undefined ? error : missingKind(id, optional, error);
    }
    throw new WaitingError(
      `Namespace ${id.namespace} does not exist, so ${idText(id)} cannot be made: create it or change the spec`,
      { reason: 'NamespaceMissing', retryAfterMs: missingRetryMs, cause: error },
    );
  }

  /** Events are a courtesy: nobody waits for them. */
  #note(pass: MeshPass, note: EventNote): void {
    void this.#deps.events.record(pass.mesh, note, pass.signal);
  }
}

function leftAsIs(object: KubernetesObject): Outcome {
  return { object, outcome: 'unchanged', drift: [] };
}

/** The mesh is woken when the CRD comes; what is asked for again after a while is one that is there and not served. */
function missingKind(id: ObjectId, optional: OptionalKind, cause?: unknown): WaitingError {
  return new WaitingError(missingKindMessage(id, optional), {
    ...{ reason: 'KindMissing', retryAfterMs: missingRetryMs, cause },
  });
}

/** What to tell a person about a write to a mesh that was complete: somebody else had changed something. */
function repairNote(id: ObjectId, result: Outcome): EventNote {
  if (result.outcome === 'created') {
    return {
      type: 'Warning',
      reason: 'Recreated',
      message: `${idText(id)} was gone and has been made again`,
    };
  }
  const what = result.drift.slice(0, 5).map(driftText).join(', ');
  return {
    type: 'Warning',
    reason: 'DriftRepaired',
    message: `${idText(id)}: ${what}; set back to what the mesh needs`,
  };
}
