import { describe, expect, it } from 'vitest';
import { diffJson } from '../../../src/injection/json-patch.ts';
import { applyPatch } from '../../support/apply-patch.ts';

const rows: readonly (readonly [name: string, before: unknown, after: unknown, steps: number])[] = [
  ['nothing', { a: 1, b: [1, { c: 2 }] }, { a: 1, b: [1, { c: 2 }] }, 0],
  ['keys that need escaping', { 'a/b': 1 }, { 'a/b': 2, 'c~d/e': 3 }, 2],
  ['a removed key', { a: { b: 1, c: 2 } }, { a: { c: 2 } }, 1],
  ['another type', { a: { b: 1 } }, { a: [1] }, 1],
  ['a list without keys', { args: ['a', 'b'] }, { args: ['b'] }, 1],
  [
    'an item at the front',
    { containers: [{ name: 'a' }] },
    { containers: [{ name: 'p' }, { name: 'a' }] },
    1,
  ],
  [
    'a changed item between added ones',
    { containers: [{ name: 'a', image: '1' }] },
    { containers: [{ name: 'p' }, { name: 'a', image: '2' }, { name: 'z' }] },
    3,
  ],
  [
    'a removed item',
    { env: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
    { env: [{ name: 'a' }, { name: 'c' }] },
    1,
  ],
  ['another order', { env: [{ name: 'a' }, { name: 'b' }] }, { env: [{ name: 'b' }, { name: 'a' }] }, 1],
  ['items with the same key', { env: [{ name: 'a' }, { name: 'a' }] }, { env: [{ name: 'a' }] }, 1],
  ['a key named as a prototype', JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":2}}'), 1],
];

describe('a JSON patch', () => {
  it.each(rows)('leads from one document to another: %s', (_name, before, after, steps) => {
    const patch = diffJson(before, after);

    expect(patch).toHaveLength(steps);
    expect(applyPatch(before, patch)).toEqual(after);
  });
});
