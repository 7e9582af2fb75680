import type { UpgradePhase, UpgradeStatus } from '../../../api/mesh-operator-status.ts';
import type { ResolvedMesh } from '../../../api/resolved-mesh.ts';
import type { ResolvedUpgrade } from '../../../api/resolved-upgrade.ts';
import {
  hasNamespace,
  isEveryNamespace,
  isNoNamespace,
  namespacesOf,
} from '../../../render/revisions/namespace-set.ts';
import { standingUpgrade } from '../../../render/revisions/plan-revisions.ts';
import { versionRevision } from '../../../render/revisions/revision-spec.ts';
import { knownOf } from '../../../render/revisions/tag-scopes.ts';
import type { ObservedNamespace, ObservedProxy, ObservedUpgrade } from './observed-upgrade.ts';
import type { RestartGroup } from './restart-groups.ts';
import { progressOf, waveOf } from './wave-progress.ts';

export interface UpgradeInput {
  readonly mesh: ResolvedMesh;
  /** Of the MeshOperator: a failed upgrade is tried anew when its spec has changed. */
  readonly generation: number;
  /** `status.upgrade`, as it was written last. */
  readonly before: UpgradeStatus | undefined;
  readonly observed: ObservedUpgrade;
  readonly now: Date;
}

/** The next state of an upgrade, and what to do meanwhile. */
export interface UpgradeDecision {
  /** Undefined where nothing is asked for. */
  readonly state: UpgradeStatus | undefined;
  /** Workloads whose pods should be replaced now; `isBehind` tells which pods of them. */
  readonly restart: readonly RestartGroup[];
  readonly isBehind: (proxy: ObservedProxy) => boolean;
  /** Look again after this long, in milliseconds; undefined when only a change makes a difference. */
  readonly againInMs?: number;
}

const maxNamed = 10;
const nothingIsBehind = () => false;

/**
 * The next step of an upgrade. A step follows only when the last is seen to be done: the control plane serves, each
 * workload of a wave has been replaced and is ready, and the wave has soaked. What is not done in time is held, or undone
 * where an old control plane is still there. Pure: what is written is enough to go on from.
 */
export function decideUpgrade(input: UpgradeInput): UpgradeDecision {
  const { strategy, restarts } = input.mesh.upgrade;
  if (strategy === 'RevisionBased') return decideRevisionBased(input);
  return restarts ? decideInPlace(input) : { state: undefined, restart: [], isBehind: nothingIsBehind };
}

function decideInPlace({ mesh, generation, before, observed, now }: UpgradeInput): UpgradeDecision {
  const { upgrade } = mesh;
  const isBehind = ({ isOutdated }: ObservedProxy) => isOutdated;
  const step = new Step(before ?? { phase: 'Complete', since: now.toISOString() }, upgrade, now);
  if (step.phase === 'Paused' && step.state.failedGeneration !== generation)
    step.enter('Moving', { wave: 1 });
  if (step.phase === 'Complete' && observed.isMeshReady) {
    const { behind } = progressOf(observed.namespaces, isBehind);
    if (behind.length > 0) step.enter('Moving', { wave: 1 });
  }
  if (step.phase !== 'Moving' || !observed.isMeshReady) return { ...step.rest(), restart: [], isBehind };
  const { blockers, behind } = progressOf(movingIn(observed, upgrade, step.wave), isBehind);
  if (!step.isDone(blockers, step.soakMs)) {
    if (step.isOverdue(blockers)) step.fail('Paused', blockers, generation);
  } else if (step.wave < upgrade.waves.length) step.enter('Moving', { wave: step.wave + 1 });
  else step.enter('Complete', {});
  return { ...step.rest(), restart: step.phase === 'Moving' ? behind : [], isBehind };
}

function decideRevisionBased(input: UpgradeInput): UpgradeDecision {
  const { mesh, generation, before, observed, now } = input;
  const { upgrade } = mesh;
  const wanted = versionRevision(mesh);
  const first = { ...standingUpgrade(wanted, observed.revisions), since: now.toISOString() };
  const step = new Step(before ?? first, upgrade, now);
  turn(step, wanted, generation);
  const { active = wanted, target = wanted } = step.state;
  const isBehind = (proxy: ObservedProxy) =>
    step.phase === 'RollingBack' ? proxy.revision === target : proxy.revision !== target;
  let restart: readonly RestartGroup[] = [];
  const decidedIn = step.name;
  const settle = (blockers: readonly string[], next: () => void, soakMs = 0) => {
    if (step.isDone(blockers, soakMs)) next();
    else if (step.phase !== 'RollingBack' && step.isOverdue(blockers)) {
      step.fail(upgrade.onFailure === 'Rollback' ? 'RollingBack' : 'Paused', blockers, generation);
    }
  };
  switch (step.phase) {
    case 'Installing': {
      const isThere = observed.revisions.get(target)?.isSettled === true;
      const blockers = isThere ? [] : [`the control plane ${target} is not Ready`];
      settle(blockers, () => step.enter('Moving', { wave: 1, moved: [] }));
      break;
    }
    case 'Moving': {
      const moving = movingIn(observed, upgrade, step.wave);
      step.moved(moving.map(({ name }) => name));
      const unrouted = unroutedOf(moving, observed, { active, target });
      const { behind, blockers } = progressOf(moving, isBehind);
      const isAll = step.wave >= upgrade.waves.length;
      if (unrouted.length === 0 && upgrade.restarts) restart = behind;
      settle(
        [...unrouted, ...blockers],
        () =>
          isAll
            ? step.enter('MovingGateways', { gateways: target })
            : step.enter('Moving', { wave: step.wave + 1 }),
        step.soakMs,
      );
      break;
    }
    case 'MovingGateways': {
      const late = observed.gateways.filter((proxy) => isBehind(proxy) || !proxy.isReady);
      const blockers =
        late.length === 0 ? [] : [`${late.length} pods of gateways do not follow ${target} yet`];
      settle(blockers, () => step.enter('Finishing', {}));
      break;
    }
    case 'Finishing': {
      const isDone =
        isEveryNamespace(knownOf(observed.revisions.get(target))) && holdsNothing(observed, active);
      settle(isDone ? [] : [`the tags are handed over to ${target}`], () => step.complete(target, active));
      break;
    }
    case 'RollingBack': {
      const isRouted =
        isEveryNamespace(knownOf(observed.revisions.get(active))) && holdsNothing(observed, target);
      const { behind, blockers } = progressOf(observed.namespaces, isBehind, { withBroken: true });
      if (isRouted) restart = behind;
      const late = observed.gateways.filter((proxy) => isBehind(proxy) || !proxy.isReady);
      settle(
        [
          ...(isRouted ? [] : [`the tags are given back to ${active}`]),
          ...(upgrade.restarts ? blockers : []),
          ...(late.length === 0 ? [] : [`${late.length} pods of gateways do not follow ${active} yet`]),
        ],
        () => (wanted === active ? step.complete(active, target) : step.rolledBack(target)),
      );
      break;
    }
  }
  step.retire(observed.following, upgrade.graceMs);
  // A step that has just begun restarts nothing: where new pods go to has yet to be seen.
  return { ...step.rest(), restart: step.name === decidedIn ? restart : [], isBehind };
}

/** What a changed spec means for where the upgrade is. */
function turn(step: Step, wanted: string, generation: number): void {
  const { active = wanted, target = wanted, failedGeneration } = step.state;
  switch (step.phase) {
    case 'Complete':
      if (wanted !== active) step.begin(active, wanted);
      return;
    case 'RolledBack':
      if (failedGeneration === generation) return;
      if (wanted === active) step.enter('Complete', { target: active });
      else step.begin(active, wanted);
      return;
    case 'RollingBack':
      return;
    case 'Paused':
      if (wanted === target && failedGeneration !== generation) step.resume();
      else if (wanted !== target) step.enter('RollingBack', { gateways: active });
      return;
    default:
      if (wanted !== target) step.enter('RollingBack', { gateways: active });
  }
}

function movingIn(
  { namespaces }: ObservedUpgrade,
  { waves }: ResolvedUpgrade,
  wave: number,
): readonly ObservedNamespace[] {
  return namespaces.filter((namespace) => waveOf(waves, namespace) < wave);
}

/** Namespaces whose new pods could still get a proxy of the old revision. */
function unroutedOf(
  namespaces: readonly ObservedNamespace[],
  { revisions }: ObservedUpgrade,
  { active, target }: { readonly active: string; readonly target: string },
): string[] {
  const [old, next] = [revisions.get(active), revisions.get(target)];
  const isRouted = ({ name }: ObservedNamespace) =>
    hasNamespace(knownOf(next), name) &&
    (old === undefined || (old.isSettled && !hasNamespace(namespacesOf(old.scope), name)));
  return namespaces
    .filter((namespace) => !isRouted(namespace))
    .map(({ name }) => `namespace ${name} is not routed to ${target} yet`);
}

/** True when no webhook of the control plane is for a tag any more. */
function holdsNothing({ revisions }: ObservedUpgrade, revision: string): boolean {
  const known = revisions.get(revision);
  if (known === undefined) return true;
  return isNoNamespace(namespacesOf(known.scope)) && (known.isSettled || !known.hasTagWebhooks);
}

/** The state under a decision: what is written at the end. */
class Step {
  state: UpgradeStatus;
  readonly #upgrade: ResolvedUpgrade;
  readonly #now: Date;
  #blockers: readonly string[] = [];
  #againInMs: number | undefined;

  constructor(before: UpgradeStatus, upgrade: ResolvedUpgrade, now: Date) {
    this.state = before;
    this.#upgrade = upgrade;
    this.#now = now;
  }

  get phase(): UpgradePhase {
    return this.state.phase;
  }

  /** Which step it is, of all that there ever are. */
  get name(): string {
    return `${this.phase}/${this.wave}/${this.state.since}`;
  }

  /** Counted from 1. */
  get wave(): number {
    return this.state.wave ?? 1;
  }

  get soakMs(): number {
    return this.#upgrade.waves[this.wave - 1]?.soakMs ?? 0;
  }

  enter(phase: UpgradePhase, fields: Partial<UpgradeStatus>): void {
    const { wellSince: _well, waitingFor: _waiting, ...kept } = this.state;
    const {
      wave: _wave,
      waves: _waves,
      failure: _failure,
      failedGeneration: _failed,
      moved: _moved,
      ...settled
    } = kept;
    this.#blockers = [];
    this.state = {
      ...(phase === 'Complete' ? settled : kept),
      ...fields,
      phase,
      since: this.#now.toISOString(),
      ...(phase === 'Moving' ? { waves: this.#upgrade.waves.length } : {}),
    };
    this.#againInMs = 0;
  }

  begin(active: string, target: string): void {
    const { retired = [], failure: _failure, failedGeneration: _failed, ...rest } = this.state;
    const left = retired.filter(({ revision }) => revision !== target);
    this.state = { ...rest, retired: left };
    this.enter('Installing', { active, target, gateways: active, moved: [] });
  }

  /** Goes on where a pause came. */
  resume(): void {
    const { failure: _failure, failedGeneration: _failed, wave, ...rest } = this.state;
    this.state = rest;
    if (wave === undefined) this.enter('Installing', {});
    else this.enter('Moving', { wave });
  }

  moved(names: readonly string[]): void {
    this.state = { ...this.state, moved: [...names].sort() };
  }

  /** `kept` is what the tags mean from now on; `left` goes when nothing uses it. */
  complete(kept: string, left: string): void {
    this.enter('Complete', { active: kept, target: kept, gateways: kept, ...this.#withRetired(left) });
  }

  rolledBack(left: string): void {
    this.enter('RolledBack', { moved: [], ...this.#withRetired(left) });
  }

  /** True when nothing is waited for and the soak is over; remembers otherwise what is, and since when nothing is. */
  isDone(blockers: readonly string[], soakMs: number): boolean {
    this.#blockers = blockers;
    const { wellSince, ...rest } = this.state;
    if (blockers.length > 0) {
      this.state = rest;
      return false;
    }
    const since = wellSince ?? this.#now.toISOString();
    const leftMs = soakMs - (this.#now.getTime() - Date.parse(since));
    if (leftMs <= 0) return true;
    this.state = { ...rest, wellSince: since };
    this.#lookAgainIn(leftMs);
    return false;
  }

  /** True when this step has waited for longer than it may. */
  isOverdue(blockers: readonly string[]): boolean {
    if (blockers.length === 0) return false;
    const leftMs = this.#upgrade.waveTimeoutMs - (this.#now.getTime() - Date.parse(this.state.since));
    if (leftMs > 0) this.#lookAgainIn(leftMs);
    return leftMs <= 0;
  }

  fail(phase: 'RollingBack' | 'Paused', blockers: readonly string[], failedGeneration: number): void {
    const { active } = this.state;
    const failure = `${this.phase}: ${blockers.slice(0, 3).join('; ')}`;
    this.enter(phase, {
      ...{ failure, failedGeneration },
      ...(phase === 'RollingBack' && active !== undefined ? { gateways: active } : {}),
    });
  }

  /** Lets go of control planes that nothing has used for long enough. */
  retire(following: (revision: string) => number, graceMs: number): void {
    const { retired = [], ...rest } = this.state;
    if (retired.length === 0) {
      this.state = rest;
      return;
    }
    const left = retired.flatMap(({ revision, unusedSince = this.#now.toISOString() }) => {
      if (following(revision) > 0) return [{ revision }];
      const leftMs = graceMs - (this.#now.getTime() - Date.parse(unusedSince));
      if (leftMs <= 0) return [];
      this.#lookAgainIn(leftMs);
      return [{ revision, unusedSince }];
    });
    this.state = { ...rest, ...(left.length === 0 ? {} : { retired: left }) };
  }

  rest(): Pick<UpgradeDecision, 'state' | 'againInMs'> {
    const { waitingFor: _before, ...state } = this.state;
    const waitingFor = this.#blockers.slice(0, maxNamed);
    return {
      state: waitingFor.length === 0 ? state : { ...state, waitingFor },
      ...(this.#againInMs === undefined ? {} : { againInMs: this.#againInMs }),
    };
  }

  #withRetired(revision: string): Pick<UpgradeStatus, 'retired'> {
    const { retired = [] } = this.state;
    return { retired: [...retired.filter((entry) => entry.revision !== revision), { revision }] };
  }

  #lookAgainIn(ms: number): void {
    this.#againInMs = Math.min(this.#againInMs ?? ms, ms);
  }
}
