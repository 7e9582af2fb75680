import { describe, expect, test } from 'vitest';
import { brokenFollowing, brokenLockstep } from '../../support/rotation-simulation/broken-orders.ts';
import { type RotationLogic, rotationLogic } from '../../support/rotation-simulation/rotation-logic.ts';
import { simulateRotations } from '../../support/rotation-simulation/simulate-rotations.ts';

/** Ten years of one mesh of several clusters each; ROTATION_SEEDS asks for more. */
const seeds = Number(process.env.ROTATION_SEEDS ?? 1);
/** So many are looked through for one in which a wrong order does harm. */
const seedsOfBroken = 20;

describe.each([
  { what: 'two clusters of one mesh', names: ['east', 'west'], followers: [] },
  { what: 'three clusters of one mesh', names: ['east', 'north', 'west'], followers: [] },
  { what: 'a cluster and one that follows its istiod', names: ['east'], followers: ['west'] },
])('$what', ({ what, names, followers }) => {
  test(`verify each other at every instant of ${seeds} times ten years, once they are joined and unless a policy has parted them`, () => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const found = simulateRotations(seed, rotationLogic, names, followers);
      const { failure, rotations, joined, parted, events } = found;
      process.stderr.write(`${what}, seed ${seed}: ${JSON.stringify({ events, parted, ...rotations })}\n`);
      expect(failure).toBeUndefined();
      expect(joined).toBe((names.length * (names.length - 1)) / 2);
      expect(rotations.root, `seed ${seed}`).toBeGreaterThan(0);
      if (names.length < 3) expect(parted, `seed ${seed}`).toBeGreaterThan(0);
    }
  }, 3_600_000);
});

describe('harm is seen of an operator that', () => {
  test.each([
    ...Object.entries(brokenLockstep).map(([what, logic]) => ({ what, logic, names: ['east', 'west'] })),
    ...Object.entries(brokenFollowing).map(([what, logic]) => ({ what, logic, names: ['east'] })),
  ])(
    '$what',
    ({ what, logic, names }) => {
      const harm = firstHarm(logic, names);

      process.stderr.write(`${what}: ${harm?.split('\n')[0]}\n`);
      expect(harm).toMatch(/does not (trust the root of the certificate of|verify)/);
    },
    3_600_000,
  );
});

/** Of a mesh of two clusters, the second of which follows the first where that is named alone. */
function firstHarm(logic: RotationLogic, names: readonly string[]): string | undefined {
  for (let seed = 1; seed <= seedsOfBroken; seed += 1) {
    const { failure } = simulateRotations(seed, logic, names, names.length === 1 ? ['west'] : []);
    if (failure !== undefined) return failure;
  }
  return undefined;
}
