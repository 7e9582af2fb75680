import { describe, expect, test } from 'vitest';
import { nextOccurrence, scheduleProblem } from '../../../src/pki/cron-schedule.ts';

describe('a schedule', () => {
  test.each([
    ['0 3 1 * *', '2026-01-10T12:00:00Z', '2026-02-01T03:00:00Z'],
    ['30 2 * * SUN', '2026-01-10T12:00:00Z', '2026-01-11T02:30:00Z'],
    ['0 3 * * *', '2026-01-10T03:00:00Z', '2026-01-11T03:00:00Z'],
    ['0 3 * * *', '2026-01-10T02:59:59.999Z', '2026-01-10T03:00:00Z'],
    ['0 3 29 2 *', '2026-01-10T12:00:00Z', '2028-02-29T03:00:00Z'],
  ])('%s comes after %s at %s, UTC', (schedule, after, next) => {
    expect(nextOccurrence(schedule, new Date(after))).toEqual(new Date(next));
  });

  test.each(['0 3 1 * *', '*/15 * * * *', '0 0 1 1,7 *', '@monthly'])('%s is one', (schedule) => {
    expect(scheduleProblem(schedule)).toBeUndefined();
  });

  test.each([
    ['', /./],
    ['0 3 1 *', /part/],
    ['0 0 3 1 * *', /part/],
    ['61 3 1 * *', /./],
    ['every day', /./],
    ['0 3 30 2 *', /never comes round/],
  ])('%j is none, and it is said why', (schedule, problem) => {
    expect(scheduleProblem(schedule)).toMatch(problem);
  });
});
