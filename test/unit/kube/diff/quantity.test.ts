import { describe, expect, test } from 'vitest';
import { areEqualQuantities, parseQuantityNanos } from '../../../../src/kube/diff/quantity.ts';

describe('quantities', () => {
  test.each([
    ['2048Mi', '2Gi'],
    ['0.5', '500m'],
    ['1000m', 1],
    ['1e3', '1k'],
    ['100u', '0.0001'],
    ['1.5Gi', '1536Mi'],
    ['+1', '1'],
    ['-0.5', '-500m'],
    ['0.1n', '1n'],
    ['1E', '1000P'],
    ['1Ei', '1024Pi'],
  ])('%s and %s are the same', (a, b) => {
    expect(areEqualQuantities(a, b)).toBe(true);
  });

  test.each([
    ['1', '2'],
    ['1Mi', '1M'],
    ['1', '-1'],
    ['a', 'a'],
    ['', ''],
  ])('%j and %j are not the same', (a, b) => {
    expect(areEqualQuantities(a, b)).toBe(false);
  });

  test.each(['', '.', 'Mi', '1 Gi', '1Gb', '1e', 'e3', '1e999', '--1'])('%j is none', (text) => {
    expect(parseQuantityNanos(text)).toBeUndefined();
  });
});
