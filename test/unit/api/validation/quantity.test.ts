import { expect, it } from 'vitest';
import { quantityValue } from '../../../../src/api/validation/quantity.ts';

it.each([
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
