import { describe, expect, it } from 'vitest';
import { configMapEntry } from '../../../src/api/config-map-entry.ts';

function aConfigMap(data?: unknown) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'roots' },
    ...(data === undefined ? {} : { data }),
  };
}

describe('configMapEntry', () => {
  it('gives the text of an entry, also an empty one', () => {
    expect(configMapEntry(aConfigMap({ mesh: 'a: b' }), 'mesh')).toBe('a: b');
    expect(configMapEntry(aConfigMap({ mesh: '' }), 'mesh')).toBe('');
  });

  it.each([
    { name: 'there is no ConfigMap', configMap: undefined },
    { name: 'it has no data', configMap: aConfigMap() },
    { name: 'it has no such entry', configMap: aConfigMap({ other: 'a' }) },
    { name: 'the entry is no text', configMap: aConfigMap({ mesh: 1, toString: 'a' }) },
  ])('gives nothing where $name', ({ configMap }) => {
    expect(configMapEntry(configMap, 'mesh')).toBeUndefined();
    expect(configMapEntry(configMap, 'constructor')).toBeUndefined();
  });
});
