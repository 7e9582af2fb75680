import type { AuthorityState, RotationReason } from './authority-state.ts';
import { type CertificateFacts, factsOf } from './certificate-facts.ts';
import { clockSkewMs } from './clock-skew.ts';
import { nextOccurrence } from './cron-schedule.ts';
import {
  type RotationKind,
  type RotationPolicy,
  rotationKinds,
  type TriggerPolicy,
} from './rotation-policy.ts';
import { openRequest } from './rotation-request.ts';

/** A rotation that should begin. */
export interface Due {
  readonly kind: RotationKind;
  readonly reason: RotationReason;
  /** The request that it answers, whatever else has made it due. */
  readonly answers?: string;
}

/** When a kind is due by itself, and what makes it so. */
export interface NextDate {
  readonly at: Date;
  readonly reason: 'Schedule' | 'Threshold';
}

/** The root's is absent where it is an issuer's. */
export interface NextDates {
  readonly root?: NextDate;
  readonly intermediate: NextDate;
}

/**
 * The rotation that should begin now, for an authority that is Stable; undefined when there is none. A root, which
 * brings an intermediate along, comes before an intermediate, and then a request before what is due by itself. A root
 * whose key is not known can sign no intermediate: it is replaced as well. Where an issuer signs, an intermediate that is
 * of somebody else is replaced at once, and the kind is only what is wished for. `Recovery` is no matter of schedules.
 */
export function dueRotation(
  state: AuthorityState,
  policy: RotationPolicy,
  request: string | undefined,
  now: Date,
): Due | undefined {
  const asked = askedFor(state, request);
  const dates = nextDates(state, policy);
  for (const kind of rotationKinds) {
    const ofItself = isForeign(state, policy, kind) ? 'Replaced' : reasonAt(dates[kind], now);
    const reason = asked?.kind === kind ? asked.reason : ofItself;
    if (reason === undefined) continue;
    const isAnswer = asked !== undefined && request !== undefined;
    const canSign = policy.issuer !== undefined || state.roots.current.keyPem !== undefined;
    return { kind: canSign ? kind : 'root', reason, ...(isAnswer ? { answers: request } : {}) };
  }
  return undefined;
}

/**
 * When each kind is due by itself: at the next run of its schedule or where its remaining life falls to the threshold,
 * whichever is first; a root also where an intermediate would outlive it. In the past when it is due now. The root of an
 * issuer is never due.
 *
 * A run is met by what was made after it, and by a rotation that was under way when it came. So runs that were missed
 * are caught up with once, however many they were, and a schedule that is faster than rotations are leaves runs out.
 */
export function nextDates(state: AuthorityState, policy: RotationPolicy): NextDates {
  const root = factsOf(state.roots.current.certPem);
  const intermediate = factsOf(state.intermediates.current.certPem);
  const ofTheRoot = earliest([
    byThreshold(root, policy.root),
    byNesting(root, policy),
    bySchedule(root, policy.root, state.rootRotatedAt),
  ]);
  return {
    ...(policy.issuer === undefined ? { root: ofTheRoot } : {}),
    intermediate: earliest([
      byThreshold(intermediate, policy.intermediate),
      bySchedule(intermediate, policy.intermediate, state.lastRotation?.finishedAt),
    ]),
  };
}

/** The rotation that a request makes due. An intermediate that is asked for comes with a root, too. */
function askedFor(state: AuthorityState, request: string | undefined): Omit<Due, 'answers'> | undefined {
  const name = openRequest(state, request);
  switch (name) {
    case 'root':
    case 'intermediate':
      return { kind: name, reason: 'Requested' };
    case 'KeyCompromise':
      return { kind: 'root', reason: 'KeyCompromise' };
    case 'Recovery':
    case undefined:
      return undefined;
  }
}

function reasonAt(date: NextDate | undefined, now: Date): RotationReason | undefined {
  return date !== undefined && date.at <= now ? date.reason : undefined;
}

/** Whether the intermediate in use is not of the issuer that should sign it. */
function isForeign(
  { intermediates, ordered }: AuthorityState,
  { issuer }: RotationPolicy,
  kind: RotationKind,
): boolean {
  if (issuer === undefined || kind === 'root') return false;
  return (
    ordered?.from !== issuer || ordered.fingerprint !== factsOf(intermediates.current.certPem).fingerprint
  );
}

function byThreshold(facts: CertificateFacts, { threshold }: TriggerPolicy): NextDate {
  return { at: beforeEnd(facts, threshold * lifetimeMsOf(facts)), reason: 'Threshold' };
}

/** A policy whose lifetimes do not nest must not replace a root as soon as it is made: half its life at most is cut. */
function byNesting(root: CertificateFacts, { intermediate }: RotationPolicy): NextDate {
  return {
    at: beforeEnd(root, Math.min(intermediate.lifetimeMs, lifetimeMsOf(root) / 2)),
    reason: 'Threshold',
  };
}

function bySchedule(
  facts: CertificateFacts,
  { schedule }: TriggerPolicy,
  rotatedAt: string | undefined,
): NextDate | undefined {
  if (schedule === undefined) return undefined;
  const metUntil = Math.max(madeAtMs(facts), rotatedAt === undefined ? 0 : Date.parse(rotatedAt));
  const at = nextOccurrence(schedule, new Date(metUntil));
  return at === undefined ? undefined : { at, reason: 'Schedule' };
}

function earliest(dates: readonly [NextDate, ...(NextDate | undefined)[]]): NextDate {
  const [first, ...others] = dates;
  return others.reduce<NextDate>(
    (found, date) => (date !== undefined && date.at < found.at ? date : found),
    first,
  );
}

function beforeEnd({ notAfter }: CertificateFacts, ms: number): Date {
  return new Date(notAfter.getTime() - ms);
}

function lifetimeMsOf(facts: CertificateFacts): number {
  return facts.notAfter.getTime() - madeAtMs(facts);
}

/** A certificate is valid a little before it is made; of one that others have made it matters little. */
function madeAtMs({ notBefore }: CertificateFacts): number {
  return notBefore.getTime() + clockSkewMs;
}
