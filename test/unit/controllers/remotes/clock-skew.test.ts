import { expect, test } from 'vitest';
import { clockSkewMs } from '../../../../src/controllers/remotes/clock-skew.ts';

const asked = Date.parse('2026-01-01T00:00:10.400Z');
const skewOf = (serverTime: string, answeredAfterMs = 100) =>
  clockSkewMs(new Date(serverTime), asked, asked + answeredAfterMs);

test('clocks of the same second do not differ, nor do those whose answer took long', () => {
  expect(skewOf('2026-01-01T00:00:10Z')).toBe(0);
  expect(skewOf('2026-01-01T00:00:19Z', 9_000)).toBe(0);
});

test('a clock that is ahead of any instant until the answer differs by that', () => {
  expect(skewOf('2026-01-01T00:01:10Z')).toBe(59_500);
});

test('a clock that was behind when it was asked differs by that, but for the fraction of its second', () => {
  expect(skewOf('2025-12-31T23:59:10Z')).toBe(-59_400);
});
