import type { EventNote } from '../../kube/event-recorder.ts';
import type { AuthorityState, Phase, RotationReason } from '../../pki/authority-state.ts';
import { factsOf } from '../../pki/certificate-facts.ts';
import type { RotationKind } from '../../pki/rotation-policy.ts';

const meanings: Readonly<Record<Exclude<Phase, 'Stable'>, string>> = {
  Trusting: 'every proxy learns to trust the next root; nothing is signed by it yet',
  Signing: 'every proxy gets a certificate of the next intermediate',
  Distrusting: 'the previous root is dropped',
};

/**
 * The Event at the step from one state to the next. Its text names the certificate that comes, so that those of one
 * rotation are not taken for repeated ones of the last.
 */
export function rotationNote(before: AuthorityState, after: AuthorityState): EventNote {
  const { phase, rotation, lastRotation } = after;
  if (phase === 'Stable' || rotation === undefined) {
    const seconds = lastRotation === undefined ? '' : ` after ${lastRotation.seconds.toFixed(1)} s`;
    const kind = lastRotation?.kind ?? 'root';
    return {
      type: 'Normal',
      reason: 'RotationFinished',
      message: `The rotation of the ${kind} has ended${seconds}: ${serialOf(after, kind)} is in use`,
    };
  }
  const why = `${rotation.kind}, ${rotation.reason}`;
  const isFirst = before.phase === 'Stable';
  return {
    type: 'Normal',
    reason: isFirst ? 'RotationStarted' : 'RotationAdvanced',
    message: `Rotation (${why}) to ${serialOf(after, rotation.kind)} enters ${phase}: ${meanings[phase]}`,
  };
}

function serialOf({ roots, intermediates }: AuthorityState, kind: RotationKind): string {
  const { current, next = current } = kind === 'root' ? roots : intermediates;
  return `serial ${factsOf(next.certPem).serial}`;
}

/** The Event for whoever wanted another root where an issuer has none. */
export function rootUnchangedNote(why: RotationReason, issuer: string): EventNote {
  const stays =
    why === 'KeyCompromise'
      ? '; the intermediate that is replaced verifies until it ends, since its root stays trusted'
      : '';
  return {
    type: 'Warning',
    reason: 'RootUnchanged',
    message: `The root belongs to ${issuer}, which has no other one yet: the intermediate alone is replaced${stays}. Replace the root there, and ask again`,
  };
}
