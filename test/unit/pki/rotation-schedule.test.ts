import { describe, expect, test } from 'vitest';
import type { AuthorityState } from '../../../src/pki/authority-state.ts';
import type { RotationKind, RotationPolicy } from '../../../src/pki/rotation-policy.ts';
import { dueRotation, nextDates } from '../../../src/pki/rotation-schedule.ts';
import { advanceRotation, beginRotation, orderedFrom } from '../../../src/pki/rotation-steps.ts';
import {
  anAuthority,
  aPolicy,
  dayMs,
  firstDay,
  hourMs,
  later,
  minuteMs,
  newMaterialFor,
  withoutRootKey,
} from '../../support/authority-states.ts';

const due = (state: AuthorityState, now: Date, policy = aPolicy(), request?: string) =>
  dueRotation(state, policy, request, now);

function scheduled(kind: RotationKind, schedule: string): RotationPolicy {
  const policy = aPolicy();
  return { ...policy, [kind]: { ...policy[kind], schedule } };
}

/** The state after a rotation between two instants. */
function rotated(state: AuthorityState, kind: RotationKind, from: Date, to: Date): AuthorityState {
  let next = beginRotation(state, { reason: 'Schedule' }, newMaterialFor(state, kind, from), from);
  while (next.phase !== 'Stable') next = advanceRotation(next, to);
  return next;
}

describe('by lifetime', () => {
  test('nothing is due while more than the threshold is left', () => {
    expect(due(anAuthority(), later(200 * dayMs - 1))).toBeUndefined();
  });

  test('an intermediate is due when the threshold of its lifetime is left', () => {
    expect(due(anAuthority(), later(200 * dayMs))).toEqual({ kind: 'intermediate', reason: 'Threshold' });
  });

  test('a root is due likewise, and goes before an intermediate that is due as well', () => {
    expect(due(anAuthority(), later(2000 * dayMs))).toEqual({ kind: 'root', reason: 'Threshold' });
  });

  test('a root is due when an intermediate would outlive it', () => {
    const policy = { ...aPolicy(), root: { lifetimeMs: 3000 * dayMs, threshold: 0.01 } };
    const state = anAuthority({ intermediateLifetimeMs: 2999 * dayMs });

    expect(due(state, later(2700 * dayMs - 1), policy)?.kind).not.toBe('root');
    expect(due(state, later(2700 * dayMs), policy)).toEqual({ kind: 'root', reason: 'Threshold' });
  });

  test('a root as short as its intermediates is not due as soon as it is made', () => {
    const policy = { ...aPolicy(), intermediate: { lifetimeMs: 5000 * dayMs, threshold: 1 / 3 } };
    const state = anAuthority({ intermediateLifetimeMs: 5000 * dayMs });

    expect(due(state, later(1500 * dayMs - 1), policy)).toBeUndefined();
    expect(due(state, later(1500 * dayMs), policy)?.kind).toBe('root');
  });

  test('an intermediate that has ended is due like any other while its root is valid', () => {
    expect(due(anAuthority(), later(301 * dayMs))).toEqual({ kind: 'intermediate', reason: 'Threshold' });
  });

  test('what is in use counts, not what a changed policy would make', () => {
    const policy = { ...aPolicy(), intermediate: { lifetimeMs: 30 * dayMs, threshold: 1 / 2 } };

    expect(due(anAuthority(), later(150 * dayMs - 1), policy)).toBeUndefined();
    expect(due(anAuthority(), later(150 * dayMs), policy)?.kind).toBe('intermediate');
  });
});

describe('by schedule', () => {
  const monthly = scheduled('intermediate', '0 3 1 * *');
  const daily = scheduled('root', '0 3 * * *');

  test('a kind is due from the first run after it was made', () => {
    expect(due(anAuthority(), new Date('2026-02-01T02:59:59Z'), monthly)).toBeUndefined();
    expect(due(anAuthority(), new Date('2026-02-01T03:00:00Z'), monthly)).toEqual({
      kind: 'intermediate',
      reason: 'Schedule',
    });
  });

  test('a run just before a certificate was made does not count, though the certificate is valid since before', () => {
    const madeAt = new Date('2026-02-01T03:02:00Z');

    expect(due(anAuthority({ madeAt }), madeAt, monthly)).toBeUndefined();
  });

  test('runs that were missed are caught up with once', () => {
    const state = anAuthority();
    const back = new Date('2026-05-20T00:00:00Z');

    const isDue = due(state, back, monthly);
    const after = rotated(state, 'intermediate', back, new Date(back.getTime() + hourMs));

    expect(isDue).toEqual({ kind: 'intermediate', reason: 'Schedule' });
    expect(due(after, new Date('2026-06-01T02:59:00Z'), monthly)).toBeUndefined();
    expect(due(after, new Date('2026-06-01T03:00:00Z'), monthly)?.kind).toBe('intermediate');
  });

  test('a run during a rotation is met by it', () => {
    const after = rotated(
      anAuthority(),
      'root',
      new Date('2026-01-11T03:00:00Z'),
      new Date('2026-01-13T10:00:00Z'),
    );

    expect(due(after, new Date('2026-01-13T10:00:00Z'), daily)).toBeUndefined();
    expect(due(after, new Date('2026-01-14T03:00:00Z'), daily)?.kind).toBe('root');
  });

  test('a run during a rotation of the root stays met when an intermediate has been replaced since', () => {
    const weekly = scheduled('root', '0 3 * * SUN');
    const root = rotated(
      anAuthority(),
      'root',
      new Date('2026-01-17T03:00:00Z'),
      new Date('2026-01-18T10:00:00Z'),
    );
    const both = rotated(
      root,
      'intermediate',
      new Date('2026-01-19T00:00:00Z'),
      new Date('2026-01-19T01:00:00Z'),
    );

    expect(due(both, new Date('2026-01-25T02:59:00Z'), weekly)).toBeUndefined();
  });

  test('a run of the root during a rotation of the intermediate is caught up with', () => {
    const after = rotated(
      anAuthority(),
      'intermediate',
      new Date('2026-01-12T02:00:00Z'),
      new Date('2026-01-12T04:00:00Z'),
    );

    expect(due(after, new Date('2026-01-12T04:00:00Z'), daily)).toEqual({ kind: 'root', reason: 'Schedule' });
  });

  test('a rotation of the root meets the runs of the intermediate', () => {
    const after = rotated(
      anAuthority(),
      'root',
      new Date('2026-02-01T02:30:00Z'),
      new Date('2026-02-01T04:00:00Z'),
    );

    expect(due(after, new Date('2026-02-20T00:00:00Z'), monthly)).toBeUndefined();
  });

  test.each([1, 10, 90])('a clock that is set back by %i minutes begins no second rotation', (minutes) => {
    const begun = new Date('2026-01-11T03:00:00Z');
    const setBack = (at: Date) => new Date(at.getTime() - minutes * minuteMs);
    const after = rotated(anAuthority(), 'root', begun, setBack(new Date(begun.getTime() + 5 * minuteMs)));

    const minutesUntilNext = (Date.parse('2026-01-12T03:00:00Z') - setBack(begun).getTime()) / minuteMs;
    const looks = Array.from({ length: minutesUntilNext }, (_, minute) =>
      due(after, new Date(setBack(begun).getTime() + minute * minuteMs), daily),
    );

    expect(looks.filter((found) => found !== undefined)).toEqual([]);
    expect(due(after, new Date('2026-01-12T03:00:00Z'), daily)?.kind).toBe('root');
  });

  test('the root goes first when both have a run', () => {
    const policy = { ...scheduled('root', '0 3 1 * *'), intermediate: monthly.intermediate };

    expect(due(anAuthority(), new Date('2026-02-01T03:00:00Z'), policy)?.kind).toBe('root');
  });
});

describe('by request', () => {
  test.each([
    ['root', { kind: 'root', reason: 'Requested' }],
    ['intermediate', { kind: 'intermediate', reason: 'Requested' }],
    ['KeyCompromise', { kind: 'root', reason: 'KeyCompromise' }],
    ['root/again', { kind: 'root', reason: 'Requested' }],
  ])('%s makes due what it asks for', (request, expected) => {
    expect(due(anAuthority(), later(0), aPolicy(), request)).toEqual({ ...expected, answers: request });
  });

  test.each(['nonsense', '', 'Recovery'])('%j makes nothing due', (request) => {
    expect(due(anAuthority(), later(0), aPolicy(), request)).toBeUndefined();
  });

  test('nothing is due once it is answered', () => {
    const state = { ...anAuthority(), answeredRequest: 'root' };

    expect(due(state, later(0), aPolicy(), 'root')).toBeUndefined();
    expect(due(state, later(0), aPolicy(), 'root/2')?.kind).toBe('root');
  });

  test('a root that is due by itself answers a request for an intermediate', () => {
    expect(due(anAuthority(), later(2000 * dayMs), aPolicy(), 'intermediate')).toEqual({
      kind: 'root',
      reason: 'Threshold',
      answers: 'intermediate',
    });
  });

  test('the reason is the request where it is due by itself as well', () => {
    expect(due(anAuthority(), later(2000 * dayMs), aPolicy(), 'KeyCompromise')?.reason).toBe('KeyCompromise');
  });

  test('what is due by itself answers no text that asks for nothing', () => {
    expect(due(anAuthority(), later(200 * dayMs), aPolicy(), 'nonsense')).toEqual({
      kind: 'intermediate',
      reason: 'Threshold',
    });
  });
});

describe('a root whose key is not known', () => {
  test('is replaced where an intermediate is due', () => {
    const state = withoutRootKey(anAuthority());

    expect(due(state, later(200 * dayMs))).toEqual({ kind: 'root', reason: 'Threshold' });
    expect(due(state, later(0), aPolicy(), 'intermediate')).toEqual({
      kind: 'root',
      reason: 'Requested',
      answers: 'intermediate',
    });
  });
});

describe('the next dates', () => {
  test('are those of the lifetimes without a schedule', () => {
    expect(nextDates(anAuthority(), aPolicy())).toEqual({
      root: { at: later(2000 * dayMs), reason: 'Threshold' },
      intermediate: { at: later(200 * dayMs), reason: 'Threshold' },
    });
  });

  test('are those of the schedule when it comes first', () => {
    const { root, intermediate } = nextDates(anAuthority(), scheduled('intermediate', '0 3 1 * *'));

    expect(root?.reason).toBe('Threshold');
    expect(intermediate).toEqual({ at: new Date('2026-02-01T03:00:00Z'), reason: 'Schedule' });
  });

  test('are those of the lifetime when the schedule comes too late', () => {
    const { intermediate } = nextDates(anAuthority(), scheduled('intermediate', '0 3 1 1 *'));

    expect(intermediate).toEqual({ at: later(200 * dayMs), reason: 'Threshold' });
  });
});

describe('intermediates of an issuer', () => {
  const policy = aPolicy({ issuer: 'Issuer mesh-ca' });
  const ofTheIssuer = orderedAt(firstDay);

  function orderedAt(madeAt: Date): AuthorityState {
    const state = withoutRootKey(anAuthority({ madeAt }));
    return {
      ...state,
      ordered: orderedFrom('Issuer mesh-ca', { intermediate: state.intermediates.current }),
    };
  }

  test('are due by their own lifetime and schedule', () => {
    const monthly = { ...policy, intermediate: { ...policy.intermediate, schedule: '0 3 1 * *' } };

    expect(due(ofTheIssuer, later(200 * dayMs - 1), policy)).toBeUndefined();
    expect(due(ofTheIssuer, later(200 * dayMs), policy)).toEqual({
      kind: 'intermediate',
      reason: 'Threshold',
    });
    expect(due(ofTheIssuer, new Date('2026-02-01T03:00:00Z'), monthly)?.reason).toBe('Schedule');
  });

  test('have a root that is never due by itself, and is not even dated', () => {
    const scheduledRoot = { ...policy, root: { ...policy.root, schedule: '0 3 * * *' } };

    expect(due(ofTheIssuer, later(10 * dayMs), scheduledRoot)).toBeUndefined();
    expect(due(ofTheIssuer, later(2900 * dayMs), policy)?.kind).toBe('intermediate');
    expect(nextDates(ofTheIssuer, policy)).toEqual({
      intermediate: { at: later(200 * dayMs), reason: 'Threshold' },
    });
  });

  test.each([
    ['were made by us', anAuthority()],
    ['were adopted', withoutRootKey(anAuthority())],
    ['were ordered from another issuer', { ...ofTheIssuer, ordered: orderedOf('Issuer other') }],
    [
      'have been replaced by others since',
      { ...ofTheIssuer, ordered: orderedOf('Issuer mesh-ca', later(1)) },
    ],
  ])('replace at once those that %s', (_name, state) => {
    expect(due(state, later(0), policy)).toEqual({ kind: 'intermediate', reason: 'Replaced' });
  });

  test.each([
    ['root', { kind: 'root', reason: 'Requested' }],
    ['intermediate', { kind: 'intermediate', reason: 'Requested' }],
    ['KeyCompromise', { kind: 'root', reason: 'KeyCompromise' }],
  ] as const)('are due when %s is asked for, with that wish', (request, expected) => {
    expect(due(ofTheIssuer, later(0), policy, request)).toEqual({ ...expected, answers: request });
  });

  function orderedOf(issuer: string, madeAt = firstDay) {
    return orderedFrom(issuer, { intermediate: anAuthority({ madeAt }).intermediates.current });
  }
});
