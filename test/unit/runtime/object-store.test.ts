import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { ObjectStore } from '../../../src/runtime/object-store.ts';

function anObject(name: string, owner?: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'n', resourceVersion: '7', labels: owner === undefined ? {} : { owner } },
  };
}

function aStore() {
  return new ObjectStore(({ metadata }) => {
    const owner = metadata.labels?.owner;
    return owner === undefined ? [] : [owner];
  });
}

describe('the object store', () => {
  test('gives back what was put in', () => {
    const store = aStore();
    store.set('n/a', anObject('a'));

    expect(store.get('n/a')).toEqual(anObject('a'));
    expect(store.get('n/b')).toBeUndefined();
    expect(store.resourceVersionOf('n/a')).toBe('7');
    expect(store.size).toBe(1);
  });

  test('moves an object from one group to another', () => {
    const store = aStore();
    store.set('n/a', anObject('a', 'one'));
    store.set('n/b', anObject('b', 'one'));

    store.set('n/a', anObject('a', 'two'));

    expect(store.byGroup('one').map(({ metadata }) => metadata.name)).toEqual(['b']);
    expect(store.byGroup('two').map(({ metadata }) => metadata.name)).toEqual(['a']);
  });

  test('forgets a deleted object in its groups too', () => {
    const store = aStore();
    store.set('n/a', anObject('a', 'one'));

    store.delete('n/a');
    store.delete('n/a');

    expect(store.byGroup('one')).toEqual([]);
    expect([...store.values()]).toEqual([]);
  });
});
