import { type ConditionUpdate, setCondition } from '../../api/conditions.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { EventNote, EventRecorder } from '../../kube/event-recorder.ts';
import type { StatusPart, StatusWriter } from '../../kube/status-writer.ts';
import type { AuthorityFigures, TrustMetrics } from '../../observability/trust-metrics.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import type { Blocker } from '../../pki/gates.ts';
import { lastingRoot } from '../../pki/trusted-roots.ts';
import { type ReconcileResult, requeueAfter } from '../../runtime/reconciler.ts';
import { authorityFigures } from './authority-figures.ts';
import { bundleChangesInMs, bundleStatus, type ForeignBundle } from './bundle-statement.ts';
import type { TrustInformers } from './observed-meshes.ts';
import type { PhaseMemories } from './phase-memories.ts';
import { spireStatement } from './spire-trust.ts';
import { proxiesOf, requestOf, type TrustPass } from './trust-pass.ts';
import {
  authorityStatus,
  type GateProgress,
  type NeededMaterial,
  orderStatement,
  trustConditionType,
  trustStatement,
} from './trust-status.ts';

export interface TrustReporterDeps {
  readonly status: StatusWriter;
  readonly informers: Pick<TrustInformers, 'meshes'>;
  readonly events: EventRecorder;
  readonly metrics: TrustMetrics;
  readonly memories: PhaseMemories;
}

type TrustStatement = Omit<ConditionUpdate, 'observedGeneration'>;

/** Schedules are looked at again at least this often: timers of weeks would not survive a clock that is set. */
const longestWaitMs = 6 * 3_600_000;

/** Says in status, Events and figures what a pass has found. */
export class TrustReporter {
  readonly #deps: TrustReporterDeps;

  constructor(deps: TrustReporterDeps) {
    this.#deps = deps;
  }

  /** Says where the authority of a mesh is, and what holds it up; returns when to look again, after `waitMs` at the latest. */
  async report(
    pass: TrustPass,
    state: AuthorityState,
    blockers: readonly Blocker[] = [],
    waitMs?: number,
  ): Promise<ReconcileResult> {
    const { mesh, now, policy, spireBundle, members, followers } = pass;
    const { doneCount } = this.#deps.memories.of(mesh.namespace, state);
    const progress: GateProgress =
      state.phase === 'Stable'
        ? { blockers, members, followers }
        : { blockers, members, followers, proxies: { total: proxiesOf(pass).length, done: doneCount } };
    this.#reportFigures(mesh, authorityFigures(state, progress), spireBundle);
    const own = trustStatement(state, progress, {
      policy,
      now,
      refusal: pass.refusal,
      needed: neededOf(pass),
      issuer: policy.issuer,
      order: pass.order,
      request: requestOf(pass),
    });
    const isSpire = mesh.authority.spire !== undefined;
    const statement = isSpire ? spireStatement(own, spireBundle, mesh, now) : own;
    const { status, reason, message } = statement;
    if (status === 'False' && own.status !== 'False') this.note(pass, { type: 'Warning', reason, message });
    const trustBundle = spireBundle === undefined ? undefined : bundleStatus(spireBundle);
    const written = await this.write(pass, {
      certificateAuthority: authorityStatus(state, progress, policy),
      ...(trustBundle === undefined ? {} : { trustBundle }),
      conditions: this.#conditions(pass, statement),
    });
    const changesInMs = spireBundle === undefined ? undefined : bundleChangesInMs(spireBundle, now);
    return requeueAfter(
      ...[written.requeueAfterMs, waitMs, pass.order?.retryAfterMs, changesInMs, longestWaitMs],
    );
  }

  /** Says how somebody else's authority is; returns when to look again. */
  async reportForeign(
    pass: TrustPass,
    bundle: ForeignBundle,
    statement: TrustStatement,
  ): Promise<ReconcileResult> {
    const { metrics } = this.#deps;
    metrics.forget(pass.mesh);
    if (bundle.roots !== undefined) metrics.foreignRoot(pass.mesh, 'root', lastingRoot(bundle.roots));
    const { status, reason, message } = statement;
    if (status === 'False') this.note(pass, { type: 'Warning', reason, message });
    const trustBundle = bundleStatus(bundle);
    const written = await this.write(pass, {
      ...(trustBundle === undefined ? {} : { trustBundle }),
      conditions: this.#conditions(pass, statement),
    });
    return requeueAfter(written.requeueAfterMs, longestWaitMs);
  }

  /** What a mesh says that waits for its first authority. */
  async reportNone(pass: TrustPass): Promise<ReconcileResult> {
    const { order } = pass;
    if (order === undefined) return {};
    const conditions = this.#conditions(pass, orderStatement(order));
    const written = await this.write(pass, { conditions });
    return requeueAfter(written.requeueAfterMs, order.retryAfterMs);
  }

  #reportFigures(
    mesh: ResolvedMesh,
    figures: AuthorityFigures,
    { roots }: Partial<ForeignBundle> = {},
  ): void {
    const { metrics } = this.#deps;
    metrics.authority(mesh, figures);
    metrics.foreignRoot(mesh, 'workload-root', roots === undefined ? undefined : lastingRoot(roots));
  }

  /** Says why a pass came to nothing; what is known of the authority stays. */
  async refuse(pass: TrustPass, reason: string, message: string): Promise<void> {
    const { certificateAuthority, trustBundle } = this.#deps.status.partOf(pass.object);
    const statement = { type: trustConditionType, status: 'False', reason, message } as const;
    this.note(pass, { type: 'Warning', reason, message });
    await this.write(pass, {
      ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
      ...(trustBundle === undefined ? {} : { trustBundle }),
      conditions: this.#conditions(pass, statement),
    });
  }

  /** What a mesh says that uses the authority of an older one of its namespace. */
  async share(pass: TrustPass, keeper: KubernetesObject): Promise<ReconcileResult> {
    const { name } = keeper.metadata;
    const message = `MeshOperator ${name}, which is older, keeps the authority of the namespace; its spec and status say more`;
    const statement = {
      type: trustConditionType,
      status: 'True',
      reason: 'SharedAuthority',
      message,
    } as const;
    return this.write(pass, { conditions: this.#conditions(pass, statement) });
  }

  #conditions({ object, now }: TrustPass, statement: TrustStatement) {
    const own = this.#deps.status.partOf(object).conditions ?? [];
    const update = { ...statement, observedGeneration: object.metadata.generation ?? 0 };
    return [...setCondition(own, update, now)];
  }

  /** Writes the part of the status that is of trust. */
  async write({ object, context }: TrustPass, part: StatusPart): Promise<ReconcileResult> {
    const { written, dueInMs } = await this.#deps.status.write(object, part, context.signal);
    if (written !== undefined) this.#deps.informers.meshes.observeWrite(written);
    return requeueAfter(dueInMs);
  }

  /** Events are a courtesy: nobody waits for them. */
  note({ object, context }: TrustPass, note: EventNote): void {
    void this.#deps.events.record(object, note, context.signal);
  }
}

function neededOf({ needed, mesh }: TrustPass): NeededMaterial | undefined {
  const { secretName } = mesh.authority;
  if (needed === undefined || secretName === undefined) return undefined;
  return { ...needed, secret: `${mesh.namespace}/${secretName}` };
}
