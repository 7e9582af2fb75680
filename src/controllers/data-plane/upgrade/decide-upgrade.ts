import type { UpgradeStatus } from '../../../api/mesh-operator-status.ts';
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
import type { ErrorRateQuestion, MeasuredErrorRate } from './error-rate.ts';
import type { ObservedNamespace, ObservedProxy, ObservedUpgrade } from './observed-upgrade.ts';
import type { RestartGroup } from './restart-groups.ts';
import { type StepGates, UpgradeStep } from './upgrade-step.ts';
import { progressOf, waveOf } from './wave-progress.ts';

export interface UpgradeInput {
  readonly mesh: ResolvedMesh;
  /** Of the MeshOperator: a failed upgrade is tried anew when its spec has changed. */
  readonly generation: number;
  /** `status.upgrade`, as it was written last. */
  readonly before: UpgradeStatus | undefined;
  readonly observed: ObservedUpgrade;
  readonly now: Date;
  /** The rate of errors, where a decision before has asked for it (`measure`). */
  readonly measured?: MeasuredErrorRate;
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
  /** What must be known for this decision to be made: decide again with it. */
  readonly measure?: ErrorRateQuestion;
}

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

function decideInPlace(input: UpgradeInput): UpgradeDecision {
  const { mesh, generation, before, observed, now } = input;
  const { upgrade } = mesh;
  const isBehind = ({ isOutdated }: ObservedProxy) => isOutdated;
  const step = new UpgradeStep(before ?? { phase: 'Complete', since: now.toISOString() }, input);
  if (step.phase === 'Paused' && step.state.failedGeneration !== generation)
    step.enter('Moving', { wave: 1 });
  if (step.phase === 'Complete' && observed.isMeshReady) {
    const { behind } = progressOf(observed.namespaces, isBehind);
    if (behind.length > 0) step.enter('Moving', { wave: 1 });
  }
  if (step.phase !== 'Moving' || !observed.isMeshReady) return { ...step.rest(), restart: [], isBehind };
  const moving = movingIn(observed, upgrade, step.wave);
  const { blockers, behind } = progressOf(moving, isBehind);
  const verdict = step.judge(blockers, { soakMs: step.soakMs, requestsTo: namesOf(moving) });
  if (verdict === 'failed') step.fail('Paused', generation);
  if (verdict === 'done') {
    if (step.wave < upgrade.waves.length) step.enter('Moving', { wave: step.wave + 1 });
    else step.enter('Complete', {});
  }
  return { ...step.rest(), restart: step.phase === 'Moving' ? behind : [], isBehind };
}

function decideRevisionBased(input: UpgradeInput): UpgradeDecision {
  const { mesh, generation, before, observed, now } = input;
  const { upgrade } = mesh;
  const wanted = versionRevision(mesh);
  const first = { ...standingUpgrade(wanted, observed.revisions), since: now.toISOString() };
  const step = new UpgradeStep(before ?? first, input);
  turn(step, wanted, generation);
  const { active = wanted, target = wanted } = step.state;
  const isBehind = (proxy: ObservedProxy) =>
    step.phase === 'RollingBack' ? proxy.revision === target : proxy.revision !== target;
  let restart: readonly RestartGroup[] = [];
  const decidedIn = step.name;
  const settle = (blockers: readonly string[], next: () => void, gates: StepGates = {}) => {
    const verdict = step.judge(blockers, gates);
    if (verdict === 'done') next();
    else if (verdict === 'failed' && step.phase !== 'RollingBack') {
      step.fail(upgrade.onFailure === 'Rollback' ? 'RollingBack' : 'Paused', generation);
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
      step.moved(namesOf(moving));
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
        { soakMs: step.soakMs, requestsTo: namesOf(moving) },
      );
      break;
    }
    case 'MovingGateways': {
      const late = observed.gateways.filter((proxy) => isBehind(proxy) || !proxy.isReady);
      const blockers =
        late.length === 0 ? [] : [`${late.length} pods of gateways do not follow ${target} yet`];
      settle(blockers, () => step.enter('Finishing', {}), { requestsTo: namesOf(observed.namespaces) });
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
function turn(step: UpgradeStep, wanted: string, generation: number): void {
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

function namesOf(namespaces: readonly ObservedNamespace[]): string[] {
  return namespaces.map(({ name }) => name);
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
