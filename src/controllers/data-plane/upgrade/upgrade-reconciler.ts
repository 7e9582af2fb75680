import { setCondition } from '../../../api/conditions.ts';
import type { KubernetesObject, ObjectKey } from '../../../api/kubernetes-object.ts';
import type { UpgradeStatus } from '../../../api/mesh-operator-status.ts';
import { meshStanding } from '../../../api/mesh-standing.ts';
import type { ResolvedMesh } from '../../../api/resolved-mesh.ts';
import { type MayAct, ResolvedMeshCache } from '../../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../../base/clock.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { EventRecorder } from '../../../kube/event-recorder.ts';
import type { StatusPart, StatusWriter } from '../../../kube/status-writer.ts';
import { ObjectMemory } from '../../../runtime/object-memory.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../../runtime/reconciler.ts';
import type { DataPlaneInformers } from '../data-plane-reconciler.ts';
import { decideUpgrade } from './decide-upgrade.ts';
import type { ErrorRateQuestion, MeasuredErrorRate } from './error-rate.ts';
import { measureErrorRate } from './measure-error-rate.ts';
import { observeUpgrade } from './observe-upgrade.ts';
import { Restarts } from './restarts.ts';
import { upgradeNote, upgradeStatement } from './upgrade-status.ts';

export interface UpgradeReconcilerDeps {
  readonly client: KubeClient;
  readonly informers: DataPlaneInformers;
  readonly status: StatusWriter;
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** Whether what a spec asks for may be done. */
  readonly mayAct: MayAct;
}

/** How soon to look again while pods are being replaced. */
const restartIntervalMs = 5_000;

/**
 * Takes a mesh from one version to another: decides each step by `decideUpgrade`, writes it down in `status.upgrade`, by
 * which the mesh controller renders control planes and gateways, and restarts workloads. A mesh whose upgrade is complete
 * costs no request.
 */
export class UpgradeReconciler implements Reconciler {
  readonly #deps: UpgradeReconcilerDeps;
  readonly #resolved: ResolvedMeshCache;
  readonly #restarts: ObjectMemory<Restarts>;

  constructor(deps: UpgradeReconcilerDeps) {
    this.#deps = deps;
    this.#resolved = new ResolvedMeshCache(deps.mayAct);
    this.#restarts = new ObjectMemory(() => new Restarts({ client: deps.client, pods: deps.informers.pods }));
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> {
    const { informers, clock } = this.#deps;
    const seen = meshStanding(informers.meshes.get(key.namespace, key.name), this.#resolved, clock.now());
    if (seen.standing === 'Gone') return this.#forget(key);
    if (seen.standing === 'AtRest') return requeueAfter(seen.endsInMs);
    const { object, mesh } = seen;
    const { strategy, restarts } = mesh.upgrade;
    if (strategy === 'InPlace' && !restarts) return this.#write(object, {}, context.signal);
    return this.#advance(object, mesh, context);
  }

  async #advance(
    object: KubernetesObject,
    mesh: ResolvedMesh,
    context: ReconcileContext,
  ): Promise<ReconcileResult> {
    const { informers, clock, status, events } = this.#deps;
    const { generation = 0 } = object.metadata;
    const before = status.partOf(object).upgrade;
    const input = {
      ...{ mesh, generation, before, now: clock.now() },
      observed: observeUpgrade(object, mesh, informers),
    };
    const first = decideUpgrade(input);
    const measured = await this.#measure(mesh, first.measure, context.signal);
    const { state, restart, isBehind, againInMs } =
      measured === undefined ? first : decideUpgrade({ ...input, measured });
    if (state === undefined) return this.#write(object, {}, context.signal);
    // What is decided is written before anything is done by it: who comes after must know how far it went.
    const written = await this.#write(object, this.#part(object, state), context.signal);
    const note = upgradeNote(before, state);
    if (note !== undefined) {
      void events.record(object, note, context.signal);
      context.log.info('Upgrade moved on', { phase: state.phase, wave: state.wave });
    }
    if (restart.length === 0) return requeueAfter(written.requeueAfterMs, againInMs);
    // With the time of the step: one that is tried anew restarts anew.
    const version = `${versionOf(state, mesh)}/${state.since}`;
    const isMore = await this.#restarts.of(object).order({ groups: restart, isBehind, version }, context);
    return requeueAfter(written.requeueAfterMs, againInMs, isMore ? restartIntervalMs : undefined);
  }

  async #measure(
    { upgrade: { errorRate } }: ResolvedMesh,
    question: ErrorRateQuestion | undefined,
    signal: AbortSignal,
  ): Promise<MeasuredErrorRate | undefined> {
    if (errorRate === undefined || question === undefined) return undefined;
    return measureErrorRate(errorRate.prometheus, question, signal);
  }

  #part(object: KubernetesObject, state: UpgradeStatus): StatusPart {
    const own = this.#deps.status.partOf(object).conditions ?? [];
    const update = { ...upgradeStatement(state), observedGeneration: object.metadata.generation ?? 0 };
    return { upgrade: state, conditions: [...setCondition(own, update, this.#deps.clock.now())] };
  }

  async #write(object: KubernetesObject, part: StatusPart, signal: AbortSignal): Promise<ReconcileResult> {
    const { written, dueInMs } = await this.#deps.status.write(object, part, signal);
    if (written !== undefined) this.#deps.informers.meshes.observeWrite(written);
    return requeueAfter(dueInMs);
  }

  #forget(key: ObjectKey): ReconcileResult {
    this.#resolved.forget(this.#restarts.forget(key) ?? '');
    return {};
  }
}

/** The revision that restarted pods should follow. */
function versionOf({ phase, active, target }: UpgradeStatus, mesh: ResolvedMesh): string {
  return (phase === 'RollingBack' ? active : target) ?? mesh.version.patch;
}
