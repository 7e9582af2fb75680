import { describe, expect, test } from 'vitest';
import { istioBundleOf } from '../../../src/pki/istio-bundle.ts';
import {
  advanceRotation,
  beginRotation,
  recoverAuthority,
  recoverByNext,
  renewSigner,
} from '../../../src/pki/rotation-steps.ts';
import {
  anAuthority,
  aRotation,
  dayMs,
  hourMs,
  later,
  newMaterialFor,
  rootRotation,
} from '../../support/authority-states.ts';

describe('a rotation of the root', () => {
  test('brings a root and an intermediate, which wait until they are trusted', () => {
    const state = anAuthority();
    const material = newMaterialFor(state, 'root', later(dayMs));

    const begun = beginRotation(state, { reason: 'Threshold' }, material, later(dayMs));

    expect(begun).toEqual({
      phase: 'Trusting',
      roots: { current: state.roots.current, next: material.root },
      intermediates: { current: state.intermediates.current, next: material.intermediate },
      rotation: {
        kind: 'root',
        reason: 'Threshold',
        startedAt: '2026-01-11T12:00:00.000Z',
        phaseSince: '2026-01-11T12:00:00.000Z',
      },
    });
  });

  test('goes through every phase in order, and says since when it is in one', () => {
    const { trusting, signing, distrusting, after } = rootRotation();

    expect(
      [trusting, signing, distrusting, after].map(({ phase, rotation }) => [phase, rotation?.phaseSince]),
    ).toEqual([
      ['Trusting', '2026-01-11T12:00:00.000Z'],
      ['Signing', '2026-01-11T13:00:00.000Z'],
      ['Distrusting', '2026-01-11T14:00:00.000Z'],
      ['Stable', undefined],
    ]);
  });

  test('keeps what was current as previous until it has ended', () => {
    const { before, trusting, distrusting, after } = rootRotation();

    expect(distrusting.roots).toEqual({ current: trusting.roots.next, previous: before.roots.current });
    expect(distrusting.intermediates).toEqual({
      current: trusting.intermediates.next,
      previous: before.intermediates.current,
    });
    expect(after.roots).toEqual({ current: trusting.roots.next });
    expect(after.intermediates).toEqual({ current: trusting.intermediates.next });
  });

  test('leaves behind what it was and how long it took', () => {
    const { after } = rootRotation();

    expect(after.rotation).toBeUndefined();
    expect(after.lastRotation).toEqual({
      kind: 'root',
      reason: 'Schedule',
      startedAt: '2026-01-11T12:00:00.000Z',
      finishedAt: '2026-01-11T15:00:00.000Z',
      seconds: 3 * 3600,
    });
    expect(after.rootRotatedAt).toBe('2026-01-11T15:00:00.000Z');
  });

  test('does not finish before it began when the clock is set back', () => {
    const { distrusting } = rootRotation();

    const after = advanceRotation(distrusting, later(0));

    expect(after.lastRotation).toMatchObject({ finishedAt: '2026-01-11T12:00:00.000Z', seconds: 0 });
  });
});

describe('a rotation of the intermediate', () => {
  test('signs at once, by a root that is trusted already', () => {
    const state = anAuthority();

    const begun = aRotation('intermediate', { state });

    expect(begun.phase).toBe('Signing');
    expect(begun.rotation?.kind).toBe('intermediate');
    expect(begun.roots).toEqual(state.roots);
  });

  test('ends with its one phase and leaves the date of the root alone', () => {
    const { after } = rootRotation();
    const begun = aRotation('intermediate', { state: after, now: later(5 * dayMs) });

    const ended = advanceRotation(begun, later(6 * dayMs));

    expect(ended.phase).toBe('Stable');
    expect(ended.intermediates).toEqual({ current: begun.intermediates.next });
    expect(ended.roots).toEqual(after.roots);
    expect(ended.lastRotation?.kind).toBe('intermediate');
    expect(ended.rootRotatedAt).toBe(after.rootRotatedAt);
  });
});

describe('steps out of order', () => {
  test('are refused: a second rotation', () => {
    const state = aRotation('root');

    const again = () =>
      beginRotation(state, { reason: 'Requested' }, newMaterialFor(state, 'root', later(0)), later(0));

    expect(again).toThrow('A rotation is under way (Trusting)');
  });

  test('are refused: going on from Stable', () => {
    expect(() => advanceRotation(anAuthority(), later(0))).toThrow('No rotation is under way (Stable)');
    expect(() => renewSigner(anAuthority(), anAuthority().intermediates.current, later(0))).toThrow(
      'No rotation is under way (Stable)',
    );
    expect(() => recoverByNext(anAuthority(), 'Recovery', later(0))).toThrow(
      'No root is being introduced (Stable)',
    );
  });
});

describe('a request', () => {
  test('is answered by the rotation that it begins, and stays so', () => {
    const state = anAuthority();
    const material = newMaterialFor(state, 'intermediate', later(dayMs));

    const begun = beginRotation(
      state,
      { reason: 'Requested', answers: 'intermediate/2' },
      material,
      later(dayMs),
    );

    expect(begun.answeredRequest).toBe('intermediate/2');
    expect(advanceRotation(begun, later(2 * dayMs)).answeredRequest).toBe('intermediate/2');
  });

  test('of before stays answered when a rotation answers none', () => {
    const state = { ...anAuthority(), answeredRequest: 'root' };

    expect(aRotation('root', { state }).answeredRequest).toBe('root');
  });
});

describe('a signer that is renewed within a phase', () => {
  test.each([
    ['Trusting', 'current', 'next'],
    ['Signing', 'next', 'current'],
    ['Distrusting', 'current', 'previous'],
  ] as const)(
    'takes the place of the one that signs in %s, and the phase begins anew',
    (phase, renewed, kept) => {
      const { trusting, signing, distrusting } = rootRotation();
      const state = { Trusting: trusting, Signing: signing, Distrusting: distrusting }[phase];
      const { intermediate } = newMaterialFor(anAuthority(), 'intermediate', later(9 * dayMs));

      const after = renewSigner(state, intermediate, later(9 * dayMs));

      expect(after.phase).toBe(phase);
      expect(after.intermediates[renewed]).toBe(intermediate);
      expect(after.intermediates[kept]).toBe(state.intermediates[kept]);
      expect(after.rotation).toEqual({ ...state.rotation, phaseSince: later(9 * dayMs).toISOString() });
      expect(istioBundleOf(after)['root-cert.pem']).toBe(istioBundleOf(state)['root-cert.pem']);
    },
  );
});

describe('recovery', () => {
  const material = (state = anAuthority()) => {
    const { root, intermediate } = newMaterialFor(state, 'root', later(9000 * dayMs));
    if (root === undefined) throw new Error('no root');
    return { root, intermediate };
  };

  test('signs with new material at once, in a bundle that running replicas take', () => {
    const { before, distrusting } = rootRotation();

    for (const state of [before, distrusting]) {
      const made = material(state);
      const recovering = recoverAuthority(state, 'Recovery', made, later(9000 * dayMs));

      expect(recovering.phase).toBe('Signing');
      expect(recovering.rotation).toMatchObject({ kind: 'root', reason: 'Recovery' });
      expect(recovering.answeredRequest).toBe('Recovery');
      expect(istioBundleOf(recovering)['ca-cert.pem']).toBe(made.intermediate.certPem);
      expect(istioBundleOf(recovering)['root-cert.pem']).toContain(istioBundleOf(state)['root-cert.pem']);
    }
  });

  test('goes on like a rotation and ends Stable with the new root alone', () => {
    const made = material();
    const recovering = recoverAuthority(anAuthority(), 'Recovery', made, later(9000 * dayMs));

    const after = advanceRotation(
      advanceRotation(recovering, later(9000 * dayMs)),
      later(9000 * dayMs + hourMs),
    );

    expect(after).toMatchObject({ phase: 'Stable', lastRotation: { reason: 'Recovery' } });
    expect(after.roots).toEqual({ current: made.root });
  });

  test('takes the root that is being introduced, which some know already', () => {
    const { trusting } = rootRotation();

    const recovering = recoverByNext(trusting, 'Recovery/2', later(9000 * dayMs));

    expect(recovering.phase).toBe('Signing');
    expect(recovering.roots.next).toBe(trusting.roots.next);
    expect(recovering.rotation?.reason).toBe('Recovery');
    expect(recovering.answeredRequest).toBe('Recovery/2');
    expect(istioBundleOf(recovering)['root-cert.pem']).toContain(istioBundleOf(trusting)['root-cert.pem']);
  });
});
