import { describe, expect, test } from 'vitest';
import { areEqualQuantities, parseQuantityNanos, quantityValue } from '../../../src/api/quantity.ts';

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

  test.each([
    { quantity: 2, value: 2 },
    { quantity: '2', value: 2 },
    { quantity: '1.5', value: 1.5 },
    { quantity: '500m', value: 0.5 },
    { quantity: '2k', value: 2000 },
    { quantity: '1Ki', value: 1024 },
    { quantity: '2Gi', value: 2 * 1024 ** 3 },
    { quantity: '1E', value: 1e18 },
    { quantity: '1e3', value: 1000 },
    { quantity: '12E-1', value: 1.2 },
    { quantity: '500mm', value: undefined },
    { quantity: '100m', value: 0.1 },
    { quantity: 'x', value: undefined },
    { quantity: '1.2.3', value: undefined },
  ])('reads $quantity as $value', ({ quantity, value }) => {
    expect(quantityValue(quantity)).toBe(value);
  });
});
