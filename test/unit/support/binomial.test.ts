import { expect, test } from 'vitest';
import { binomialBounds } from '../../support/binomial.ts';

test('the bounds of two tosses are all there is, unless much may fall beyond them', () => {
  expect(binomialBounds(2, 0.5)).toEqual({ least: 0, most: 2 });
  expect(binomialBounds(2, 0.5, 0.6)).toEqual({ least: 1, most: 1 });
});

test('the bounds of a fifth of 500 requests are those that exact fractions give', () => {
  const { least, most } = binomialBounds(500, 0.2);

  expect({ least, most }).toEqual({ least: 50, most: 158 });
});

test('a share that leaves nothing to chance is refused', () => {
  expect(() => binomialBounds(10, 1)).toThrow('share 1');
});
