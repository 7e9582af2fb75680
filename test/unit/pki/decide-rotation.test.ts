import { describe, expect, test } from 'vitest';
import type { AuthorityState } from '../../../src/pki/authority-state.ts';
import { decideRotation, type RotationInput, requestProblem } from '../../../src/pki/decide-rotation.ts';
import { advanceRotation, recoverByNext } from '../../../src/pki/rotation-steps.ts';
import {
  anAuthority,
  aPolicy,
  aRotation,
  dayMs,
  everybodyDone,
  hourMs,
  later,
  minuteMs,
  rootRotation,
  withoutRootKey,
} from '../../support/authority-states.ts';

const { trusting, signing, distrusting } = rootRotation();
const now = later(2 * dayMs);
const paused = aPolicy({ isPaused: true });

function decide(state: AuthorityState, changes: Partial<RotationInput> = {}) {
  return decideRotation({
    ...{ state, policy: aPolicy(), request: undefined, members: [], followers: [], now },
    ...{ observed: undefined, openForMs: undefined },
    ...changes,
  });
}

describe('a Stable authority', () => {
  test('waits until something is due, and looks at its clock once a day', () => {
    expect(decide(anAuthority())).toEqual({ step: 'wait', blockers: [], againInMs: dayMs });
    expect(decide(anAuthority(), { now: later(200 * dayMs - 5000) })).toEqual({
      step: 'wait',
      blockers: [],
      againInMs: 5000,
    });
  });

  test('issues what is due', () => {
    expect(decide(anAuthority(), { now: later(200 * dayMs) })).toEqual({
      step: 'issue',
      kind: 'intermediate',
      reason: 'Threshold',
    });
  });

  test('issues what is asked for, and says what that answers', () => {
    expect(decide(anAuthority(), { request: 'root/2' })).toEqual({
      step: 'issue',
      kind: 'root',
      reason: 'Requested',
      answers: 'root/2',
    });
  });

  test('begins nothing while paused', () => {
    expect(
      decide(anAuthority(), { policy: paused, request: 'KeyCompromise', now: later(200 * dayMs) }),
    ).toEqual({
      step: 'wait',
      blockers: [],
    });
  });
});

describe.each([
  ['Trusting', trusting],
  ['Signing', signing],
  ['Distrusting', distrusting],
  ['Signing of an intermediate alone', aRotation('intermediate')],
])('an authority in %s', (_name, state) => {
  const observed = everybodyDone(state);

  test('begins no second rotation, whatever is due or asked for', () => {
    const step = decide(state, { request: 'root', now: later(150 * dayMs) });

    expect(step.step).toBe('wait');
  });

  test('waits while it has not looked at the mesh', () => {
    expect(decide(state)).toMatchObject({ step: 'wait', blockers: [{ gate: 'Replicas' }] });
  });

  test('waits for whoever keeps a gate shut, and looks again', () => {
    const step = decide(state, { observed: { ...observed, replicas: [{ pod: 'istio-system/istiod-0' }] } });

    expect(step).toMatchObject({ step: 'wait', blockers: [{ what: 'pod istio-system/istiod-0' }] });
    expect(step.step === 'wait' && step.againInMs).toBeGreaterThan(0);
  });

  test('soaks from the first look that finds every gate open', () => {
    expect(decide(state, { observed })).toEqual({ step: 'soak', remainingMs: 2 * minuteMs });
    expect(decide(state, { observed, openForMs: 30_000 })).toEqual({ step: 'soak', remainingMs: 90_000 });
  });

  test('goes on when they have been open for as long as was asked for', () => {
    expect(decide(state, { observed, openForMs: 2 * minuteMs })).toEqual({
      step: 'advance',
      leftBehind: [],
      state: advanceRotation(state, now),
    });
  });

  test('goes nowhere while paused, and says what holds it besides', () => {
    const wait = { step: 'wait', blockers: [] };

    expect(decide(state, { observed, openForMs: dayMs, policy: paused })).toEqual(wait);
    expect(decide(state, { policy: paused })).toMatchObject({
      step: 'wait',
      blockers: [{ gate: 'Replicas' }],
    });
    expect(decide(state, { policy: paused, now: later(290 * dayMs) }).step).toBe('wait');
  });
});

describe('how often a shut gate is looked at', () => {
  test('follows the age of the phase, within a second and five minutes', () => {
    const againAfter = (ageMs: number) => {
      const step = decide(trusting, { now: later(dayMs + ageMs) });
      return step.step === 'wait' ? step.againInMs : undefined;
    };

    expect([-hourMs, 0, 60_000, 10 * hourMs].map(againAfter)).toEqual([1000, 1000, 6000, 5 * minuteMs]);
  });
});

describe('a key that others know', () => {
  const observed = everybodyDone(trusting);

  test('is replaced without a soak', () => {
    const { rotation } = trusting;
    const state: AuthorityState = {
      ...trusting,
      ...(rotation === undefined ? {} : { rotation: { ...rotation, reason: 'KeyCompromise' } }),
    };

    expect(decide(state, { observed }).step).toBe('advance');
  });

  test('hurries what is under way, gate by gate', () => {
    expect(decide(trusting, { observed, request: 'KeyCompromise' }).step).toBe('advance');
    expect(decide(trusting, { request: 'KeyCompromise' }).step).toBe('wait');
  });

  test('does not hurry what came after it', () => {
    const state = { ...trusting, answeredRequest: 'KeyCompromise' };

    expect(decide(state, { observed, request: 'KeyCompromise' }).step).toBe('soak');
  });
});

describe('a phase that outlasts its signer', () => {
  test('gets another signer of the same root, gates open or shut', () => {
    const late = { now: later(295 * dayMs) };

    expect(decide(signing, late)).toEqual({ step: 'renew', root: signing.roots.next });
    expect(decide(signing, { ...late, observed: everybodyDone(signing), openForMs: dayMs }).step).toBe(
      'renew',
    );
  });
});

describe('an authority that has lapsed', () => {
  const ended = later(3001 * dayMs);

  test('waits for a person, and says what for', () => {
    const step = decide(anAuthority(), { now: ended, request: 'root' });

    expect(step).toMatchObject({ step: 'wait', blockers: [] });
    expect(step.step === 'wait' && step.problem).toMatch(
      /^The root certificate ended at .*: nothing verifies any more.* annotation meshoperator.dev\/rotate to Recovery/,
    );
  });

  test('is replaced at once when it is asked for, by a request of its own', () => {
    const request = 'Recovery/now';

    expect(decide(anAuthority(), { now: ended, request })).toEqual({ step: 'recover', answers: request });
    expect(decide({ ...anAuthority(), answeredRequest: request }, { now: ended, request }).step).toBe('wait');
    expect(decide(anAuthority(), { now: ended, request, policy: paused }).step).toBe('wait');
  });

  test('is replaced by the root that is being introduced', () => {
    const state = aRotation('root', { now: later(2000 * dayMs) });

    expect(decide(state, { now: ended, request: 'Recovery' })).toEqual({
      step: 'advance',
      leftBehind: [],
      state: recoverByNext(state, 'Recovery', ended),
    });
  });

  test('is replaced by another when what is being introduced has ended as well', () => {
    expect(decide(trusting, { now: ended, request: 'Recovery' }).step).toBe('recover');
  });

  test('may have lost but an intermediate, when nobody can sign another', () => {
    const state = withoutRootKey(anAuthority());

    expect(decide(state, { now: later(301 * dayMs) })).toMatchObject({
      step: 'wait',
      problem: expect.any(String),
    });
    expect(decide(state, { now: later(301 * dayMs), request: 'Recovery' }).step).toBe('recover');
  });
});

describe('an intermediate that has ended under a valid root', () => {
  test('is replaced like any other', () => {
    expect(decide(anAuthority(), { now: later(301 * dayMs) })).toEqual({
      step: 'issue',
      kind: 'intermediate',
      reason: 'Threshold',
    });
  });
});

describe('a request that is not taken', () => {
  test('is one that asks for nothing we know', () => {
    expect(requestProblem(anAuthority(), 'all', now)).toMatch(/"all" is no request/);
  });

  test('is Recovery of an authority that is valid', () => {
    expect(requestProblem(anAuthority(), 'Recovery', now)).toMatch(/this one is valid, so ask for root/);
    expect(requestProblem(anAuthority(), 'Recovery', later(3001 * dayMs))).toBeUndefined();
    expect(decide(anAuthority(), { request: 'Recovery' }).step).toBe('wait');
  });

  test('is none that is or was answered', () => {
    expect(requestProblem(anAuthority(), 'root', now)).toBeUndefined();
    expect(requestProblem(anAuthority(), undefined, now)).toBeUndefined();
    expect(requestProblem({ ...anAuthority(), answeredRequest: 'all' }, 'all', now)).toBeUndefined();
  });
});
