import { describe, expect, it } from 'vitest';
import { ObjectMemory } from '../../../src/runtime/object-memory.ts';

const anObject = (uid: string) => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'a', namespace: 'b', uid },
});

describe('ObjectMemory', () => {
  it('remembers for as long as the object is the same one', () => {
    const memory = new ObjectMemory(() => ({ passes: 0 }));
    memory.of(anObject('1')).passes += 1;

    expect(memory.of(anObject('1')).passes).toBe(1);
    expect(memory.of(anObject('2')).passes).toBe(0);
  });

  it('forgets by key, and says which object it was', () => {
    const memory = new ObjectMemory(() => ({ passes: 0 }));
    memory.of(anObject('1')).passes += 1;

    expect(memory.forget({ namespace: 'b', name: 'a' })).toBe('1');
    expect(memory.forget({ namespace: 'b', name: 'a' })).toBeUndefined();
    expect(memory.of(anObject('1')).passes).toBe(0);
  });
});
