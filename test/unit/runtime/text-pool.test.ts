import { expect, test } from 'vitest';
import { TextPool } from '../../../src/runtime/text-pool.ts';

test('equal texts are kept once, for as long as somebody holds one', () => {
  const pool = new TextPool();

  expect(pool.hold('a')).toBe('a');
  pool.hold('a');
  pool.hold('b');
  expect(pool.size).toBe(2);

  pool.release('a');
  expect(pool.size).toBe(2);
  pool.release('a');
  pool.release('never held');
  expect(pool.size).toBe(1);
});
