import type { ConditionUpdate } from '../../../api/conditions.ts';
import type { UpgradeStatus } from '../../../api/mesh-operator-status.ts';
import type { EventNote } from '../../../kube/event-recorder.ts';
import type { StatusPart } from '../../../kube/status-writer.ts';

/** The condition that tells of upgrades. */
export const upgradeConditionType = 'UpgradeComplete';

/** How often counts that go up and down with each pod are written. */
const countIntervalMs = 5_000;

type Statement = Omit<ConditionUpdate, 'observedGeneration'>;

/** What the condition says of an upgrade. */
export function upgradeStatement(state: UpgradeStatus): Statement {
  const type = upgradeConditionType;
  const { phase, failure = 'it was taken back' } = state;
  switch (phase) {
    case 'Complete':
      return { type, status: 'True', reason: phase, message: completeMessage(state) };
    case 'Paused': {
      const message = `The upgrade is held, since in time it was not done: ${failure}. It goes on when the spec changes`;
      return { type, status: 'False', reason: phase, message };
    }
    case 'RolledBack': {
      const message = `Revision ${state.active} serves again, since this failed: ${failure}. A changed spec is tried anew`;
      return { type, status: 'False', reason: phase, message };
    }
    default:
      return { type, status: 'False', reason: phase, message: underWayMessage(state) };
  }
}

/** What an Event says of a step; undefined when none was taken. */
export function upgradeNote(before: UpgradeStatus | undefined, after: UpgradeStatus): EventNote | undefined {
  if (before?.phase === after.phase && before.wave === after.wave) return undefined;
  if (before === undefined && after.phase === 'Complete') return undefined;
  const isBad = after.phase === 'Paused' || after.phase === 'RollingBack' || after.phase === 'RolledBack';
  const { message } = upgradeStatement(after);
  return { type: isBad ? 'Warning' : 'Normal', reason: `Upgrade${after.phase}`, message };
}

/** A step is written at once; what it waits for, every five seconds. */
export function leastStatusIntervalMs(
  { upgrade: before }: StatusPart,
  { upgrade: after }: StatusPart,
): number {
  const stepOf = (state: UpgradeStatus | undefined) => {
    const { waitingFor: _waiting, ...step } = state ?? { phase: 'Complete' };
    return JSON.stringify(step);
  };
  return stepOf(before) === stepOf(after) ? countIntervalMs : 0;
}

function completeMessage({ active, retired = [] }: UpgradeStatus): string {
  if (active === undefined) return 'Every proxy is of the version that the spec asks for';
  const names = retired.map(({ revision, unusedSince }) =>
    unusedSince === undefined ? `${revision}, which pods still follow` : revision,
  );
  const others = names.length === 0 ? '' : `; to be removed: ${names.join(', ')}`;
  return `Revision ${active} serves the whole mesh${others}`;
}

function underWayMessage({
  phase,
  active,
  target,
  wave,
  waves,
  waitingFor = [],
  failure,
}: UpgradeStatus): string {
  const what =
    phase === 'RollingBack'
      ? `Goes back to ${active}${failure === undefined ? '' : `, since this failed: ${failure}`}`
      : phase === 'Moving'
        ? `Wave ${wave} of ${waves} changes to ${target ?? 'the new version'}`
        : `${phase === 'Installing' ? 'Installs' : 'Goes on with'} ${target}`;
  return waitingFor.length === 0 ? what : `${what}; waits: ${waitingFor.join('; ')}`;
}
