import { describe, expect, test } from 'vitest';
import { brokenOrders } from '../../support/rotation-simulation/broken-orders.ts';
import { simulateRotations } from '../../support/rotation-simulation/simulate-rotations.ts';

/**
 * Ten years of one mesh each, by its seed; ROTATION_SEEDS asks for more. A seed that fails prints its last events and
 * fails again whenever it is asked for.
 */
const seeds = Number(process.env.ROTATION_SEEDS ?? 8);
/** So many are looked through for one in which a wrong order does harm. */
const seedsOfBroken = 40;

test(`in ${seeds} times ten years no proxy meets one that it does not verify, and everything due is replaced`, () => {
  const total = { events: 0, root: 0, intermediate: 0, compromised: 0, scheduled: 0 };
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { failure, events, rotations, reasons } = simulateRotations(seed);
    expect(failure).toBeUndefined();
    expect(rotations.root, `seed ${seed}`).toBeGreaterThan(0);
    expect(rotations.intermediate, `seed ${seed}`).toBeGreaterThan(9);
    total.events += events;
    total.root += rotations.root;
    total.intermediate += rotations.intermediate;
    total.compromised += reasons.KeyCompromise ?? 0;
    total.scheduled += (reasons.Schedule ?? 0) + (reasons.Threshold ?? 0);
  }
  process.stderr.write(`rotations of seeds 1 to ${seeds}: ${JSON.stringify(total)}\n`);
  expect(total.compromised).toBeGreaterThan(0);
  expect(total.scheduled).toBeGreaterThan(total.compromised);
}, 3_600_000);

describe('harm is seen of an operator that', () => {
  test.each(Object.entries(brokenOrders))(
    '%s',
    (what, logic) => {
      const harm = firstHarm(logic);

      process.stderr.write(`${what}: seed ${harm?.seed}, ${harm?.failure.split('\n')[0]}\n`);
      expect(harm?.failure).toMatch(/does not (trust|verify)/);
    },
    3_600_000,
  );
});

function firstHarm(logic: (typeof brokenOrders)[string]) {
  for (let seed = 1; seed <= seedsOfBroken; seed += 1) {
    const { failure } = simulateRotations(seed, logic);
    if (failure !== undefined) return { seed, failure };
  }
  return undefined;
}
