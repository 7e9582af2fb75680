import type { AuthorityState } from './authority-state.ts';
import { type Blocker, phaseBlockers } from './gates.ts';
import type { ObservedTrust } from './observed-trust.ts';
import { type Due, dueRotation, nextDates, type RotationPolicy } from './rotation-schedule.ts';
import { advanceRotation } from './rotation-steps.ts';

export interface RotationInput {
  readonly state: AuthorityState;
  readonly policy: RotationPolicy;
  /** Value of annotation `meshoperator.dev/rotate`. */
  readonly request: string | undefined;
  /** What was seen in this pass; not needed while Stable. */
  readonly observed: ObservedTrust | undefined;
  /** Since when every gate of the phase has been seen open; undefined when the last look found one shut. */
  readonly openSince: Date | undefined;
  readonly now: Date;
}

/** What to do next. */
export type RotationStep =
  /** Make keys and certificates, and begin. */
  | ({ readonly step: 'issue' } & Due)
  /** Write this state, in which the next phase has begun or the rotation has ended. */
  | { readonly step: 'advance'; readonly state: AuthorityState }
  /** Every gate is open; the phase ends after this long if they stay so. */
  | { readonly step: 'soak'; readonly remainingMs: number }
  /** Something holds a gate shut, or, while Stable, nothing is due: then after `againInMs` something is. */
  | { readonly step: 'wait'; readonly blockers: readonly Blocker[]; readonly againInMs?: number };

/**
 * The next step of an authority. The order is that of Istio's own test of root rotation (`cacert_rotation`): nothing is
 * signed by what is not trusted everywhere, and nothing is dropped that anybody still needs. A step never skips a phase,
 * and a gate that was not looked at is shut.
 */
export function decideRotation(input: RotationInput): RotationStep {
  return input.state.phase === 'Stable' ? decideBeginning(input) : decideAdvance(input);
}

function decideBeginning({ state, policy, request, now }: RotationInput): RotationStep {
  if (policy.isPaused) return { step: 'wait', blockers: [] };
  const due = dueRotation(state, policy, request, now);
  if (due !== undefined) return { step: 'issue', ...due };
  const { root, intermediate } = nextDates(state, policy);
  const waitsMs = [root, intermediate].map(({ at }) => at.getTime() - now.getTime()).filter((ms) => ms > 0);
  return { step: 'wait', blockers: [], ...(waitsMs.length === 0 ? {} : { againInMs: Math.min(...waitsMs) }) };
}

function decideAdvance({ state, policy, observed, openSince, now }: RotationInput): RotationStep {
  const blockers =
    observed === undefined
      ? [{ gate: 'Replicas' as const, what: 'the replicas of istiod', why: 'have not been asked yet' }]
      : phaseBlockers(state, observed);
  if (blockers.length > 0) return { step: 'wait', blockers };
  if (policy.isPaused) return { step: 'wait', blockers: [] };
  const soakMs = state.rotation?.reason === 'KeyCompromise' ? 0 : policy.soakMs;
  // A clock that was set back makes a soak longer, never shorter than what was asked for.
  const remainingMs =
    soakMs - (openSince === undefined ? 0 : Math.max(0, now.getTime() - openSince.getTime()));
  if (remainingMs > 0) return { step: 'soak', remainingMs };
  return { step: 'advance', state: advanceRotation(state, now) };
}
