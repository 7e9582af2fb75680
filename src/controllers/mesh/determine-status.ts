import { authorizedConditionType } from '../../api/authorization.ts';
import { type ConditionUpdate, removeCondition, setCondition } from '../../api/conditions.ts';
import { idText } from '../../api/kubernetes-object.ts';
import type {
  Condition,
  MeshOperatorStatus,
  MeshState,
  RevisionStatus,
} from '../../api/mesh-operator-status.ts';
import { type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { messageOf, TerminalError, WaitingError } from '../../base/errors.ts';
import { subtract } from '../../inventory/inventory.ts';
import { versionRevision } from '../../render/revisions/revision-spec.ts';
import type { WaveName } from '../../render/wave.ts';
import { type MtlsDecision, mtlsConditionType } from './decide-mtls.ts';
import { fightMessage } from './drift-ledger.ts';
import { lingeringText } from './lingering.ts';
import type { Unhealthy } from './object-health.ts';
import type { PassReport, WaveReport } from './pass-report.ts';
import { tenancyCondition, tenancyConditionType } from './tenancy-condition.ts';

/** Fields of `status` that the mesh controller owns. */
export const meshStatusFields = [
  ...(['observedGeneration', 'state', 'version', 'revision'] as const),
  ...(['inventory', 'gateways', 'revisions', 'drift', 'ignored', 'history'] as const),
  ...(['adopted', 'members', 'mtls'] as const),
];

/** Conditions that it owns. */
export const meshConditions: readonly string[] = [
  ...[
    'Ready',
    'Reconciling',
    'Stalled',
    'ControlPlaneReady',
    'GatewaysReady',
    'PoliciesReady',
    tenancyConditionType,
    authorizedConditionType,
    mtlsConditionType,
  ],
];

/** What the whole mesh is in one statement. */
interface Verdict {
  readonly state: MeshState;
  readonly ready: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** A person must act although the operator goes on trying. */
  readonly isBlocked?: boolean;
}

/**
 * The status after one pass: a pure function of the status before, what the pass found, and the time.
 *
 * `Ready` summarizes; `Reconciling` and `Stalled` are present only while true (kstatus). `observedGeneration` moves
 * when the pass finished the spec or found that a person must act, not while it is still working towards it.
 */
export function determineStatus(
  before: MeshOperatorStatus | undefined,
  generation: number,
  report: PassReport,
  now: Date,
): MeshOperatorStatus {
  const verdict = determineVerdict(report);
  const isSettled = verdict.state !== 'Reconciling' && verdict.state !== 'Deleting';
  let conditions: readonly Condition[] = before?.conditions ?? [];
  const set = (update: Omit<ConditionUpdate, 'observedGeneration'>) => {
    conditions = setCondition(conditions, { ...update, observedGeneration: generation }, now);
  };
  const setWhile = (isTrue: boolean, type: string) => {
    if (isTrue) set({ type, status: 'True', reason: verdict.reason, message: verdict.message });
    else conditions = removeCondition(conditions, type);
  };

  set({ type: 'Ready', status: verdict.ready, reason: verdict.reason, message: verdict.message });
  const isBlocked = verdict.isBlocked === true || verdict.state === 'Stalled';
  setWhile(!isBlocked && (verdict.state === 'Reconciling' || verdict.state === 'Deleting'), 'Reconciling');
  setWhile(isBlocked, 'Stalled');
  if (report.authorization === 'NotAsked') conditions = removeCondition(conditions, authorizedConditionType);
  else if (report.authorization !== undefined) set(report.authorization);
  if (report.resolved !== undefined && report.pause === undefined) {
    set(
      componentCondition(
        'ControlPlaneReady',
        'control-plane',
        report,
        report.resolved.pilot.enabled,
        'istiod',
      ),
    );
    const hasGateways = report.resolved.gateways.length > 0;
    set(componentCondition('GatewaysReady', 'gateways', report, hasGateways, 'Every gateway'));
    if (report.waves.some(({ name }) => name === 'policies'))
      set(componentCondition('PoliciesReady', 'policies', report, true, 'Every policy'));
    else conditions = removeCondition(conditions, 'PoliciesReady');
    if (report.resolved.tenancy === undefined) conditions = removeCondition(conditions, tenancyConditionType);
    else set(tenancyCondition(report.members));
    if (report.mtls === undefined) conditions = removeCondition(conditions, mtlsConditionType);
    else set(mtlsCondition(report, report.mtls));
  }

  return {
    ...(isSettled ? { observedGeneration: generation } : withoutUndefined(before?.observedGeneration)),
    state: verdict.state,
    ...versionOf(report.resolved, before),
    conditions: [...conditions],
    inventory: report.inventory.map((id) => ({ ...id })),
    ...(report.drift.length === 0 ? {} : { drift: [...report.drift] }),
    ...(report.ignored.length === 0 ? {} : { ignored: [...report.ignored] }),
    ...(report.history.length === 0 ? {} : { history: [...report.history] }),
    ...(report.adopted.length === 0 ? {} : { adopted: [...report.adopted] }),
    ...(report.members.length === 0 ? {} : { members: [...report.members] }),
    ...mtlsOf(report, before),
    gateways: [...report.gateways],
    revisions: revisionsOf(report, before),
  };
}

function determineVerdict(report: PassReport): Verdict {
  if (report.isDeleting) return deletingVerdict(report);
  if (report.error !== undefined) return errorVerdict(report.error);
  if (report.pause !== undefined) {
    const until = report.pause.until === undefined ? '' : ` until ${report.pause.until.toISOString()}`;
    return {
      state: 'Paused',
      ready: 'Unknown',
      reason: 'Paused',
      message: `Paused${until}: ${report.pause.reason}`,
    };
  }
  const [fight] = report.fights;
  if (fight !== undefined) {
    return { state: 'Stalled', ready: 'False', reason: 'FieldConflict', message: fightMessage(fight) };
  }
  const unhealthy = report.waves.flatMap((wave) => unhealthyIn(wave, report));
  const failed = unhealthy.find((found) => found.isFailed);
  if (failed !== undefined) return progressing(failed.reason, failed.message);
  const [first, ...others] = unhealthy;
  if (first !== undefined) {
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    return progressing('Progressing', `${first.message}${more}`);
  }
  const blocked = report.waves.find((wave) => !wave.isApplied);
  if (blocked !== undefined) return progressing('Progressing', `Applying wave ${blocked.name}`);
  const upgrading = upgradeVerdict(report);
  if (upgrading !== undefined) return upgrading;
  const [leaving] = report.leaving;
  if (leaving !== undefined)
    return progressing('Progressing', `Waiting for ${idText(leaving)} to be removed`);
  return {
    state: 'Ready',
    ready: 'True',
    reason: 'Ready',
    message: `All ${report.inventory.length} objects are applied and healthy${ignoredText(report.ignored.length)}${mtlsText(report.mtls)}`,
  };
}

/** What does not work of a wave; of istiod also why, where the authority is the reason: its Deployment counts replicas alone. */
function unhealthyIn({ name, unhealthy }: WaveReport, { trustTrouble }: PassReport): readonly Unhealthy[] {
  if (name !== 'control-plane' || trustTrouble === undefined) return unhealthy;
  return unhealthy.map((found) => ({ ...found, message: `${found.message}; ${trustTrouble}` }));
}

function ignoredText(count: number): string {
  return count === 0 ? '' : `, ${count} of which ${count === 1 ? 'is' : 'are'} ignored: see status.ignored`;
}

function mtlsText(mtls: MtlsDecision | undefined): string {
  return mtls?.status.waiting === undefined ? '' : '; STRICT waits: see MutualTlsInForce';
}

/** What an upgrade that is not complete makes of the mesh. */
function upgradeVerdict({ upgrade, resolved }: PassReport): Verdict | undefined {
  if (upgrade === undefined || resolved?.upgrade.strategy !== 'RevisionBased') return undefined;
  const { phase, active, target, failure = 'it was taken back' } = upgrade;
  if (phase === 'Complete' && active === versionRevision(resolved)) return undefined;
  const failed = { state: 'Stalled', ready: 'False' } as const;
  const message = `The upgrade to ${target} has failed (${failure}): see UpgradeComplete`;
  if (phase === 'Paused') return { ...failed, reason: 'UpgradePaused', message };
  if (phase === 'RolledBack') return { ...failed, reason: 'UpgradeRolledBack', message };
  return progressing(
    'Upgrading',
    `The upgrade to ${versionRevision(resolved)} is under way: see UpgradeComplete`,
  );
}

function deletingVerdict({ removal, error }: PassReport): Verdict {
  const cause = error === undefined ? '' : `; ${messageOf(error)}`;
  const verdict = { state: 'Deleting', ready: 'False', reason: 'Deleting' } as const;
  const [first] = removal?.held ?? [];
  if (removal === undefined || first === undefined) {
    return { ...verdict, message: `Removing objects${cause}` };
  }
  const more = subtract(removal.remaining, [first.id]).length;
  const what = `${lingeringText(first)}${more === 0 ? '' : ` and ${more} more`}`;
  const message = `Waiting for ${what} to be removed${cause}`;
  if (removal.blockedSince === undefined) return { ...verdict, message };
  const end =
    removal.goesWithoutAt === undefined
      ? 'it cannot be left, since the cluster still acts by it'
      : `at ${removal.goesWithoutAt.toISOString()} the mesh goes without`;
  const since = `nothing has gone since ${removal.blockedSince.toISOString()}`;
  return { ...verdict, reason: 'RemovalBlocked', isBlocked: true, message: `${message}; ${since}; ${end}` };
}

function errorVerdict(error: unknown): Verdict {
  const message = messageOf(error);
  if (error instanceof TerminalError)
    return { state: 'Stalled', ready: 'False', reason: error.reason, message };
  if (error instanceof WaitingError)
    return { state: 'Reconciling', ready: 'Unknown', reason: error.reason, message };
  return progressing('ApplyFailed', message);
}

function progressing(reason: string, message: string): Verdict {
  return { state: 'Reconciling', ready: 'False', reason, message };
}

function componentCondition(
  type: string,
  waveName: WaveName,
  report: PassReport,
  isEnabled: boolean,
  subject: string,
): Omit<ConditionUpdate, 'observedGeneration'> {
  if (!isEnabled) return { type, status: 'True', reason: 'Disabled', message: 'The spec asks for none' };
  const wave = report.waves.find((found) => found.name === waveName);
  if (wave === undefined || !wave.isApplied) {
    return { type, status: 'False', reason: 'Waiting', message: 'Waits for its turn to be applied' };
  }
  const [first, ...others] = unhealthyIn(wave, report);
  if (first === undefined) {
    return { type, status: 'True', reason: 'Healthy', message: `${subject} is rolled out and available` };
  }
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return { type, status: 'False', reason: first.reason, message: `${first.message}${more}` };
}

/** What is decided is in force once the policies are applied. */
function mtlsCondition(report: PassReport, { condition }: MtlsDecision): MtlsDecision['condition'] {
  const isLate = condition.status === 'True' && !areApplied('policies', report);
  const message = 'Waits for its turn to be applied';
  return isLate ? { ...condition, status: 'False', reason: 'Waiting', message } : condition;
}

function mtlsOf(
  report: PassReport,
  before: MeshOperatorStatus | undefined,
): Pick<MeshOperatorStatus, 'mtls'> {
  if (report.mtls !== undefined) {
    const { status, inForceBefore } = report.mtls;
    const inForce = areApplied('policies', report) ? status.inForce : [...inForceBefore];
    return { mtls: { ...status, inForce } };
  }
  const isUndecided = report.resolved === undefined || report.pause !== undefined;
  return isUndecided && before?.mtls !== undefined ? { mtls: before.mtls } : {};
}

/** True as well for a mesh that has none of the wave. */
function areApplied(name: WaveName, { waves }: PassReport): boolean {
  return waves.find((wave) => wave.name === name)?.isApplied !== false;
}

/** Kept from before while the spec cannot be resolved: the old control plane still runs. */
function versionOf(resolved: ResolvedMesh | undefined, before: MeshOperatorStatus | undefined) {
  if (resolved !== undefined) {
    return { version: resolved.version.patch, revision: revisionLabel(resolved.revision) };
  }
  return {
    ...(before?.version === undefined ? {} : { version: before.version }),
    ...(before?.revision === undefined ? {} : { revision: before.revision }),
  };
}

function revisionsOf(
  { resolved, revisions }: PassReport,
  before: MeshOperatorStatus | undefined,
): RevisionStatus[] {
  if (resolved === undefined) return [...(before?.revisions ?? [])];
  if (!resolved.pilot.enabled) return [];
  if (revisions !== undefined) return [...revisions];
  return [{ name: revisionLabel(resolved.revision), version: resolved.version.patch }];
}

function withoutUndefined(observedGeneration: number | undefined) {
  return observedGeneration === undefined ? {} : { observedGeneration };
}
