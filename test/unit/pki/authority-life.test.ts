import { describe, expect, test } from 'vitest';
import { lapseOf, rootToRenewBy } from '../../../src/pki/authority-life.ts';
import { advanceRotation } from '../../../src/pki/rotation-steps.ts';
import {
  anAuthority,
  aPolicy,
  aRotation,
  dayMs,
  later,
  rootRotation,
  withoutRootKey,
} from '../../support/authority-states.ts';

const { intermediate: trigger } = aPolicy();

describe('an authority has lapsed', () => {
  test('when its root has ended', () => {
    expect(lapseOf(anAuthority(), later(3000 * dayMs - 1))).toBeUndefined();
    expect(lapseOf(anAuthority(), later(3000 * dayMs))).toBe(
      'The root certificate ended at 2034-03-29T12:00:00.000Z',
    );
  });

  test('when its intermediate has ended and nobody can sign another', () => {
    const state = withoutRootKey(anAuthority());

    expect(lapseOf(anAuthority(), later(301 * dayMs))).toBeUndefined();
    expect(lapseOf(state, later(300 * dayMs - 1))).toBeUndefined();
    expect(lapseOf(state, later(300 * dayMs))).toMatch(
      /^The intermediate certificate ended .* key of its root/,
    );
  });

  test('not by an intermediate that its issuer can replace, unless a rotation is under way', () => {
    const state = withoutRootKey(anAuthority());
    const late = later(300 * dayMs);
    const signing = withoutRootKey(aRotation('intermediate'));

    expect(lapseOf(state, late, 'Issuer mesh-ca')).toBeUndefined();
    expect(lapseOf(state, later(3000 * dayMs), 'Issuer mesh-ca')).toMatch(/^The root certificate ended/);
    expect(lapseOf(signing, later(302 * dayMs), 'Issuer mesh-ca')).toMatch(/^The intermediate/);
  });

  test('by what signs in the phase under way', () => {
    const late = later(3000 * dayMs);
    const trusting = aRotation('root', { now: later(2000 * dayMs) });

    expect(lapseOf(trusting, late)).toMatch(/root/);
    expect(lapseOf(advanceRotation(trusting, later(2001 * dayMs)), late)).toBeUndefined();
  });
});

describe('the signer of a phase is renewed', () => {
  const { trusting, signing, distrusting } = rootRotation();

  test('when half the threshold of its life is left', () => {
    const madeMs = dayMs;

    expect(rootToRenewBy(signing, trigger, later(madeMs + 249 * dayMs))).toBeUndefined();
    expect(rootToRenewBy(signing, trigger, later(madeMs + 250 * dayMs))).toBe(signing.roots.next);
  });

  test('by the root that it is of', () => {
    const late = later(290 * dayMs);

    expect(rootToRenewBy(trusting, trigger, late)).toBe(trusting.roots.current);
    expect(rootToRenewBy(signing, trigger, late)).toBe(trusting.roots.next);
    expect(rootToRenewBy(distrusting, trigger, late)).toBe(trusting.roots.next);
  });

  test('also when it has ended already', () => {
    expect(rootToRenewBy(trusting, trigger, later(400 * dayMs))).toBe(trusting.roots.current);
  });

  test('never by a root whose key is not known', () => {
    expect(rootToRenewBy(withoutRootKey(trusting), trigger, later(290 * dayMs))).toBeUndefined();
  });

  test('only by one that lasts: not again and again towards the end of the root', () => {
    const state = aRotation('root', {
      state: anAuthority({ rootLifetimeMs: 300 * dayMs, intermediateLifetimeMs: 299 * dayMs }),
    });

    expect(rootToRenewBy(state, trigger, later(290 * dayMs))).toBeUndefined();
  });
});
