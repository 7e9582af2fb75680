import type { EventNote } from '../../kube/event-recorder.ts';
import type { AuthorityState, Phase } from '../../pki/authority-state.ts';

const meanings: Readonly<Record<Exclude<Phase, 'Stable'>, string>> = {
  Trusting: 'every proxy learns to trust the next root; nothing is signed by it yet',
  Signing: 'every proxy gets a certificate of the next intermediate',
  Distrusting: 'the previous root is dropped',
};

/** The Event at the step from one state to the next. */
export function rotationNote(before: AuthorityState, after: AuthorityState): EventNote {
  const { phase, rotation, lastRotation } = after;
  if (phase === 'Stable' || rotation === undefined) {
    const seconds = lastRotation === undefined ? '' : ` after ${lastRotation.seconds.toFixed(1)} s`;
    const what = lastRotation?.kind ?? 'authority';
    return {
      type: 'Normal',
      reason: 'RotationFinished',
      message: `The rotation of the ${what} has ended${seconds}`,
    };
  }
  const why = `${rotation.kind}, ${rotation.reason}`;
  const isFirst = before.phase === 'Stable';
  return {
    type: 'Normal',
    reason: isFirst ? 'RotationStarted' : 'RotationAdvanced',
    message: `Rotation (${why}) enters ${phase}: ${meanings[phase]}`,
  };
}
