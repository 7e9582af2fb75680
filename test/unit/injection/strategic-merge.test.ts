import { describe, expect, it } from 'vitest';
import { strategicMerge } from '../../../src/injection/strategic-merge.ts';

const rows: readonly (readonly [name: string, target: object, patch: object, merged: object])[] = [
  ['objects key by key', { a: { b: 1, c: 2 } }, { a: { b: 3 } }, { a: { b: 3, c: 2 } }],
  ['null takes away', { a: 1, b: 2 }, { a: null }, { b: 2 }],
  [
    'containers by name, new ones last',
    { containers: [{ name: 'a', image: '1', tty: true }] },
    { containers: [{ name: 'p' }, { name: 'a', image: '2' }] },
    { containers: [{ name: 'a', image: '2', tty: true }, { name: 'p' }] },
  ],
  [
    'volume mounts by path',
    { volumeMounts: [{ name: 'x', mountPath: '/a' }] },
    { volumeMounts: [{ name: 'y', mountPath: '/a' }] },
    { volumeMounts: [{ name: 'y', mountPath: '/a' }] },
  ],
  [
    'ports by number',
    { ports: [{ containerPort: 1, name: 'a' }] },
    { ports: [{ containerPort: 1, name: 'b' }] },
    { ports: [{ containerPort: 1, name: 'b' }] },
  ],
  ['other lists as a whole', { args: ['a', 'b'] }, { args: ['c'] }, { args: ['c'] }],
  ['$patch replace', { a: { b: 1 } }, { a: { $patch: 'replace', c: 2 } }, { a: { c: 2 } }],
  [
    '$patch delete of an item',
    { env: [{ name: 'a' }, { name: 'b' }] },
    { env: [{ name: 'a', $patch: 'delete' }] },
    { env: [{ name: 'b' }] },
  ],
  [
    '$patch replace of a list',
    { env: [{ name: 'a' }] },
    { env: [{ $patch: 'replace' }, { name: 'b' }] },
    { env: [{ name: 'b' }] },
  ],
];

describe('a strategic merge', () => {
  it.each(rows)('merges %s', (_name, target, patch, merged) => {
    const before = structuredClone({ target, patch });

    expect(strategicMerge(target, patch)).toEqual(merged);
    expect({ target, patch }).toEqual(before);
  });

  it('keeps keys with names of prototypes what they are: keys', () => {
    const patch = JSON.parse(
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    ) as object;

    const merged = strategicMerge({ a: 1 }, patch);

    expect(Object.keys(merged)).toEqual(['a', '__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
