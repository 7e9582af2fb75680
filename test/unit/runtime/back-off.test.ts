import { describe, expect, test } from 'vitest';
import { backOffMs } from '../../../src/runtime/back-off.ts';

const options = { firstMs: 100, capMs: 5_000 };
const shortest = () => 0.999_999;
const longest = () => 0;

describe('the wait before a repetition', () => {
  test.each([
    { attempt: 1, fullMs: 100 },
    { attempt: 2, fullMs: 200 },
    { attempt: 5, fullMs: 1_600 },
    { attempt: 7, fullMs: 5_000 },
    { attempt: 10_000, fullMs: 5_000 },
  ])('is at most $fullMs ms before try $attempt', ({ attempt, fullMs }) => {
    expect(backOffMs(attempt, options, longest)).toBe(fullMs);
  });

  test('is shortened by up to half at random', () => {
    expect(backOffMs(3, options, shortest)).toBe(200);
  });
});
