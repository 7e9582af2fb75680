import { lapseOf, rootToRenewBy } from './authority-life.ts';
import type { AuthorityState, RootMaterial } from './authority-state.ts';
import { factsOf } from './certificate-facts.ts';
import { decideExchange, exchangeHolders, isExchanging, pendingBlockers } from './decide-exchange.ts';
import { isSettled } from './exchange.ts';
import { type Blocker, followerBlockers, memberBlockers, phaseBlockers, replicaBlockers } from './gates.ts';
import type { MemberView } from './member-view.ts';
import type { ObservedTrust } from './observed-trust.ts';
import { type Holders, holdersOf } from './patience.ts';
import type { RotationPolicy } from './rotation-policy.ts';
import { openRequest, parseRequest } from './rotation-request.ts';
import { type Due, dueRotation, nextDates } from './rotation-schedule.ts';
import { advanceRotation, recoverByNext } from './rotation-steps.ts';

export interface RotationInput {
  /** As it is stored: a step is decided for the very state that it is then written over. */
  readonly state: AuthorityState;
  readonly policy: RotationPolicy;
  /** Value of annotation `meshoperator.dev/rotate`. */
  readonly request: string | undefined;
  /** The other clusters that roots are exchanged with, as they were heard. */
  readonly members: readonly MemberView[];
  /** Those whose proxies follow the istiod of this one. */
  readonly followers: readonly MemberView[];
  /** What was seen in this pass; not needed while nothing is under way (`isUnderWay`). */
  readonly observed: ObservedTrust | undefined;
  /**
   * How long every gate of this phase has been open in each look, by a clock that nobody sets: since the first `soak`
   * after which no other step came and `rotation.phaseSince` has not moved. Undefined when none has come yet.
   */
  readonly openForMs: number | undefined;
  readonly now: Date;
}

/** What to do next. The state that comes of it is written over the one it was decided for, or not at all. */
export type RotationStep =
  /**
   * Make a root and an intermediate of it, or an intermediate of the current root, or have the issuer of the policy sign
   * one; then `beginRotation`.
   */
  | ({ readonly step: 'issue' } & Due)
  /** Make an intermediate of this root; then `renewSigner`. */
  | { readonly step: 'renew'; readonly root: RootMaterial }
  /** Make a root and an intermediate of it, or have the issuer sign one; then `recoverAuthority`. */
  | { readonly step: 'recover'; readonly answers: string }
  /**
   * Write this state, in which the next phase has begun or the rotation has ended. `leftBehind` are clusters that it has
   * not waited for.
   */
  | { readonly step: 'advance'; readonly state: AuthorityState; readonly leftBehind: readonly Blocker[] }
  /**
   * Write this state, in which a root of another cluster has come or gone, or everybody here was seen to hold them but the
   * clusters in `leftBehind`.
   */
  | { readonly step: 'exchange'; readonly state: AuthorityState; readonly leftBehind: readonly Blocker[] }
  /** Every gate is open; look again after this long at the latest. */
  | { readonly step: 'soak'; readonly remainingMs: number }
  /**
   * Nothing to do: somebody keeps a gate shut, nothing is due, or it is paused. Look again after `againInMs`; undefined
   * when only a change (of the policy, the request or the state) can make a difference. `problem` is a sentence about
   * what only a person can mend.
   */
  | {
      readonly step: 'wait';
      readonly blockers: readonly Blocker[];
      readonly againInMs?: number;
      readonly problem?: string;
    };

/**
 * The next step of an authority. The order of a rotation is that of Istio's own test (`cacert_rotation`): nothing signs
 * that is not trusted everywhere, and nothing is dropped that anybody still needs. No step skips a phase, and a gate that
 * was not looked at is shut. The exception is a request for Recovery, taken only where nothing verifies any more; it
 * takes a person, because a clock that is a year ahead looks the same.
 */
export function decideRotation(input: RotationInput): RotationStep {
  const { state, policy, request, now } = input;
  const exchanged = decideExchange({ ...input, isSoaked: remainingMs(input, exchangeSoakMs(input)) <= 0 });
  if (exchanged !== undefined) return { step: 'exchange', ...exchanged };
  if (policy.isPaused) return { step: 'wait', blockers: everythingShut(input) };
  const lapse = lapseOf(state, now, policy.issuer);
  if (lapse === undefined) return state.phase === 'Stable' ? decideBeginning(input) : decideAdvance(input);
  if (request === undefined || openRequest(state, request) !== 'Recovery') {
    return { step: 'wait', blockers: blockersOf(input), problem: `${lapse}: ${howToRecover}` };
  }
  return decideRecovery(state, request, now);
}

/** Whether the mesh must be looked at: a rotation is under way, or roots of other clusters come or go. */
export function isUnderWay({ state, members }: Pick<RotationInput, 'state' | 'members'>): boolean {
  return state.phase !== 'Stable' || isExchanging(state, members);
}

/** Why a request is not taken; undefined when it is, was, or will be. */
export function requestProblem(
  state: AuthorityState,
  request: string | undefined,
  now: Date,
): string | undefined {
  if (request === undefined || request === state.answeredRequest) return undefined;
  const { name, problem } = parseRequest(request);
  if (name !== 'Recovery' || lapseOf(state, now) !== undefined) return problem;
  return 'Recovery is for an authority by which nothing verifies any more; this one is valid, so ask for root';
}

const howToRecover =
  'nothing verifies any more, and no gate can open. Set annotation meshoperator.dev/rotate to Recovery to replace root and intermediate at once';

/** A clock that was wrong for a while is noticed after this long. */
const longestWaitMs = 24 * 3_600_000;

function decideRecovery(state: AuthorityState, answers: string, now: Date): RotationStep {
  const { next } = state.roots;
  const isNextValid = next !== undefined && factsOf(next.certPem).notAfter > now;
  return state.phase === 'Trusting' && isNextValid
    ? { step: 'advance', state: recoverByNext(state, answers, now), leftBehind: [] }
    : { step: 'recover', answers };
}

function decideBeginning(input: RotationInput): RotationStep {
  const { state, policy, request, now } = input;
  const blockers = blockersOf(input);
  const due = dueRotation(state, policy, request, now);
  // A replica that has not loaded what is there might not take what comes.
  if (due !== undefined && !blockers.some(({ gate }) => gate === 'Replicas'))
    return { step: 'issue', ...due };
  if (blockers.length > 0) return { step: 'wait', blockers, againInMs: pollMs(state, now) };
  const holders = exchangeHolders(input);
  if (holders.waitedFor.length > 0) return waitFor(holders, input);
  const soakedInMs = isExchanging(state, input.members) ? remainingMs(input, exchangeSoakMs(input)) : 0;
  if (soakedInMs > 0) return { step: 'soak', remainingMs: soakedInMs };
  const { root, intermediate } = nextDates(state, policy);
  const nextMs = Math.min(root?.at.getTime() ?? Infinity, intermediate.at.getTime());
  return { step: 'wait', blockers: [], againInMs: Math.min(nextMs - now.getTime(), longestWaitMs) };
}

function decideAdvance(input: RotationInput): RotationStep {
  const { state, policy, now } = input;
  const root = rootToRenewBy(state, policy.intermediate, now);
  if (root !== undefined) return { step: 'renew', root };
  const blockers = blockersOf(input);
  if (blockers.length > 0) return { step: 'wait', blockers, againInMs: pollMs(state, now) };
  const holders = phaseHolders(input);
  if (holders.waitedFor.length > 0) return waitFor(holders, input);
  const soakedInMs = remainingMs(input, soakMs(input));
  if (soakedInMs > 0) return { step: 'soak', remainingMs: soakedInMs };
  return { step: 'advance', state: advanceRotation(state, now), leftBehind: holders.leftBehind };
}

function waitFor(
  { waitedFor, leftMs }: Holders,
  { state, now }: Pick<RotationInput, 'state' | 'now'>,
): RotationStep {
  return { step: 'wait', blockers: waitedFor, againInMs: Math.min(pollMs(state, now), leftMs) };
}

/** What this cluster itself waits for. */
function blockersOf({ state, members, observed }: RotationInput): readonly Blocker[] {
  if (!isUnderWay({ state, members })) return [];
  const unseen = {
    gate: 'Replicas',
    what: 'the replicas of istiod',
    why: 'have not been asked yet',
  } as const;
  if (observed === undefined) return [unseen];
  const replicas = replicaBlockers(state, observed.replicas);
  const pending = replicas.length === 0 ? pendingBlockers(state, members) : [];
  return pending.length > 0 ? pending : phaseBlockers(state, observed);
}

/** What this cluster waits for, and when there is nothing, what others do. */
function everythingShut(input: RotationInput): readonly Blocker[] {
  const own = blockersOf(input);
  if (own.length > 0) return own;
  return (input.state.phase === 'Stable' ? exchangeHolders(input) : phaseHolders(input)).waitedFor;
}

type SeenOfOthers = Pick<RotationInput, 'state' | 'policy' | 'members' | 'followers' | 'now'>;

/** The other clusters that hold the phase, and those that it need not wait for any more. */
function phaseHolders({ state, policy, members, followers, now }: SeenOfOthers): Holders {
  const shut = [...followerBlockers(state, followers), ...memberBlockers(state, members)];
  return holdersOf(shut, state.rotation?.phaseSince, policy.proceedAfterMs, now);
}

/**
 * Whether something follows when every gate of this cluster has been open for the soak: then proxies are asked once
 * more. Nothing does while another cluster alone is waited for.
 */
export function isSoakDecisive(input: SeenOfOthers): boolean {
  const { state } = input;
  if (!isSettled(state) && exchangeHolders(input).waitedFor.length === 0) return true;
  return state.phase !== 'Stable' && phaseHolders(input).waitedFor.length === 0;
}

/** Whether a key of this authority is known to others, as far as anybody has said, and is being replaced. */
export function isCompromised(state: AuthorityState, request: string | undefined): boolean {
  return state.rotation?.reason === 'KeyCompromise' || openRequest(state, request) === 'KeyCompromise';
}

function remainingMs({ openForMs = 0 }: Pick<RotationInput, 'openForMs'>, soakMs: number): number {
  return soakMs - openForMs;
}

/** Whoever asks because a key is known to others has no time to lose, in what is under way either. */
function soakMs({ state, policy, request }: RotationInput): number {
  return isCompromised(state, request) ? 0 : policy.soakMs;
}

/** Before it is said what everybody here holds: the root that another cluster has lost must go as fast as one of ours. */
function exchangeSoakMs(input: RotationInput): number {
  const isOfOther = input.members.some(({ statement }) => statement?.isCompromised === true);
  return isOfOther ? 0 : soakMs(input);
}

/** A tenth of what the phase has taken, so that looking costs little where somebody keeps a gate shut for hours. */
function pollMs({ rotation, exchange }: AuthorityState, now: Date): number {
  const since = rotation?.phaseSince ?? exchange?.since;
  const ageMs = since === undefined ? 0 : now.getTime() - Date.parse(since);
  return Math.min(5 * 60_000, Math.max(1_000, ageMs / 10));
}
