import { describe, expect, it } from 'vitest';
import { mergeJson } from '../../../src/api/merge-json.ts';

describe('mergeJson', () => {
  it.each([
    { name: 'the later scalar wins', layers: [{ a: 1 }, { a: 2 }], merged: { a: 2 } },
    {
      name: 'objects merge key by key',
      layers: [{ a: { b: 1 } }, { a: { c: 2 } }],
      merged: { a: { b: 1, c: 2 } },
    },
    { name: 'lists are replaced', layers: [{ a: [1, 2] }, { a: [3] }], merged: { a: [3] } },
    { name: 'an object replaces a scalar', layers: [{ a: 1 }, { a: { b: 2 } }], merged: { a: { b: 2 } } },
    {
      name: 'null takes a key away',
      layers: [
        { a: 1, b: { c: 1 } },
        { a: null, b: { c: null } },
      ],
      merged: { b: {} },
    },
    { name: 'a missing layer says nothing', layers: [{ a: 1 }, undefined], merged: { a: 1 } },
  ])('$name', ({ layers, merged }) => {
    expect(mergeJson(...layers)).toEqual(merged);
  });

  it('keeps a key named __proto__ a key', () => {
    const merged = mergeJson(JSON.parse('{ "__proto__": { "polluted": true } }'));

    expect(Object.keys(merged)).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
