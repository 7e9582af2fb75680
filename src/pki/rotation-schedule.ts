import { Cron } from 'croner';
import type { AuthorityState, RotationReason } from './authority-state.ts';
import { factsOf } from './certificate-facts.ts';
import { parseRequest } from './rotation-request.ts';

export type RotationKind = 'root' | 'intermediate';

/** When one kind of certificate is replaced. */
export interface TriggerPolicy {
  /** Five cron fields, UTC; absent: by lifetime alone. */
  readonly schedule?: string;
  readonly lifetimeMs: number;
  /** Replaced when less than this fraction of its lifetime is left. */
  readonly threshold: number;
}

export interface RotationPolicy {
  readonly root: TriggerPolicy;
  readonly intermediate: TriggerPolicy;
  /** How long every gate of a phase must have been open before the next begins. */
  readonly soakMs: number;
  /** Nothing begins, and nothing goes on. */
  readonly isPaused: boolean;
}

/** A rotation that should begin, or will. */
export interface Due {
  readonly kind: RotationKind;
  readonly reason: RotationReason;
}

/** The next date of one kind, and what makes it so. */
export interface NextDate {
  readonly at: Date;
  readonly reason: 'Schedule' | 'Threshold';
}

/**
 * The rotation that should begin now; undefined when there is none. What a person asks for comes before what is due by
 * itself, and a root, which brings an intermediate along, before an intermediate. A root whose key is not known can sign
 * no intermediate: then the root is replaced as well.
 */
export function dueRotation(
  state: AuthorityState,
  policy: RotationPolicy,
  request: string | undefined,
  now: Date,
): Due | undefined {
  const due = askedFor(state, request, now) ?? dueByItself(state, policy, now);
  if (due?.kind !== 'intermediate' || state.roots.current.keyPem !== undefined) return due;
  return { ...due, kind: 'root' };
}

/** When each kind is due by itself; in the past when it is now. */
export function nextDates(state: AuthorityState, policy: RotationPolicy): Record<RotationKind, NextDate> {
  const roots = [
    ...datesOf(state.roots.current.certPem, policy.root, lastRotationAt(state, ['root'])),
    // An intermediate must not outlive its root, so a root goes before it would cut one short.
    {
      at: endsWithin(state.roots.current.certPem, policy.intermediate.lifetimeMs),
      reason: 'Threshold',
    } as const,
  ];
  const intermediates = datesOf(
    state.intermediates.current.certPem,
    policy.intermediate,
    lastRotationAt(state, ['root', 'intermediate']),
  );
  return { root: earliest(roots), intermediate: earliest(intermediates) };
}

function askedFor(state: AuthorityState, request: string | undefined, now: Date): Due | undefined {
  if (request === undefined || request === state.answeredRequest) return undefined;
  const { name } = parseRequest(request);
  switch (name) {
    case 'root':
    case 'intermediate':
      return { kind: name, reason: 'Requested' };
    case 'KeyCompromise':
      return { kind: 'root', reason: 'KeyCompromise' };
    case 'Recovery':
      // Only where nothing verifies any more may an old root be dropped without a look at who trusts it.
      return hasEnded(state.roots.current.certPem, now) ? { kind: 'root', reason: 'Recovery' } : undefined;
    case undefined:
      return undefined;
  }
}

function dueByItself(state: AuthorityState, policy: RotationPolicy, now: Date): Due | undefined {
  // A root that has ended opens no gate: see Recovery.
  if (hasEnded(state.roots.current.certPem, now)) return undefined;
  const dates = nextDates(state, policy);
  for (const kind of ['root', 'intermediate'] as const) {
    if (dates[kind].at <= now) return { kind, reason: dates[kind].reason };
  }
  return undefined;
}

function datesOf(certPem: string, policy: TriggerPolicy, since: Date | undefined): NextDate[] {
  const { notBefore, notAfter } = factsOf(certPem);
  const leftMs = policy.threshold * Math.min(policy.lifetimeMs, notAfter.getTime() - notBefore.getTime());
  const byLifetime: NextDate = { at: new Date(notAfter.getTime() - leftMs), reason: 'Threshold' };
  if (policy.schedule === undefined) return [byLifetime];
  // A run that was missed is due at once, however many were: the next one is counted from what is in use.
  const from = new Date(Math.max(notBefore.getTime(), since?.getTime() ?? 0));
  const at = new Cron(policy.schedule, { timezone: 'UTC' }).nextRun(from);
  return at === null ? [byLifetime] : [byLifetime, { at, reason: 'Schedule' }];
}

/** When the rotation that ended last began, if it was of these kinds: runs before it are answered by it. */
function lastRotationAt({ lastRotation }: AuthorityState, kinds: readonly RotationKind[]): Date | undefined {
  if (lastRotation === undefined || !kinds.includes(lastRotation.kind)) return undefined;
  return new Date(lastRotation.finishedAt);
}

function earliest(dates: readonly NextDate[]): NextDate {
  return dates.reduce((first, date) => (date.at < first.at ? date : first));
}

function endsWithin(certPem: string, ms: number): Date {
  return new Date(factsOf(certPem).notAfter.getTime() - ms);
}

function hasEnded(certPem: string, now: Date): boolean {
  return factsOf(certPem).notAfter <= now;
}
