import { describe, expect, test } from 'vitest';
import { brokenLockstep } from '../../support/rotation-simulation/broken-orders.ts';
import { rotationLogic } from '../../support/rotation-simulation/rotation-logic.ts';
import { simulateRotations } from '../../support/rotation-simulation/simulate-rotations.ts';

/** Ten years of one mesh of several clusters each; ROTATION_SEEDS asks for more. */
const seeds = Number(process.env.ROTATION_SEEDS ?? 1);
/** So many are looked through for one in which a wrong order does harm. */
const seedsOfBroken = 20;

describe.each(
  [
    ['east', 'west'],
    ['east', 'north', 'west'],
  ].map((names) => ({ names })),
)('$names.length clusters of one mesh', ({ names }) => {
  test(`verify each other at every instant of ${seeds} times ten years, once they are joined`, () => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const { failure, rotations, joined, events } = simulateRotations(seed, rotationLogic, names);
      process.stderr.write(
        `${names.length} clusters, seed ${seed}: ${JSON.stringify({ events, ...rotations })}\n`,
      );
      expect(failure).toBeUndefined();
      expect(joined).toBe((names.length * (names.length - 1)) / 2);
      expect(rotations.root, `seed ${seed}`).toBeGreaterThan(0);
    }
  }, 3_600_000);
});

describe('harm is seen of an operator that', () => {
  test.each(Object.entries(brokenLockstep))(
    '%s',
    (what, logic) => {
      const harm = firstHarm(logic);

      process.stderr.write(`${what}: ${harm?.split('\n')[0]}\n`);
      expect(harm).toMatch(/does not trust the root of the certificate of/);
    },
    3_600_000,
  );
});

function firstHarm(logic: (typeof brokenLockstep)[string]): string | undefined {
  for (let seed = 1; seed <= seedsOfBroken; seed += 1) {
    const { failure } = simulateRotations(seed, logic, ['east', 'west']);
    if (failure !== undefined) return failure;
  }
  return undefined;
}
