import { describe, expect, it } from 'vitest';
import type { SpecRecord } from '../../../src/api/mesh-operator-status.ts';
import { specRecordName, withSpecRecord } from '../../../src/api/spec-history.ts';

const readyAt = '2026-01-01T00:00:00Z';
const record = (name: string, generation: number): SpecRecord => ({
  ...{ name, generation, version: '1.31.1', readyAt },
});

describe('the specs that a mesh was Ready in', () => {
  it('have a name by what they say, in whatever order', () => {
    const name = specRecordName('mesh', { profile: 'demo', tag: 'a' });

    expect(name).toMatch(/^mesh-[0-9a-f]{10}$/);
    expect(specRecordName('mesh', { tag: 'a', profile: 'demo' })).toBe(name);
    expect(specRecordName('mesh', { tag: 'b', profile: 'demo' })).not.toBe(name);
  });

  it('are kept the newest first, and the oldest goes when there are too many', () => {
    const history = [record('b', 2), record('a', 1)];

    expect(withSpecRecord(history, record('c', 3), 2)).toEqual({
      kept: [record('c', 3), record('b', 2)],
      dropped: [record('a', 1)],
    });
  });

  it('are kept once, also when the mesh has returned to one', () => {
    const history = [record('b', 2), record('a', 1)];

    expect(withSpecRecord(history, record('a', 3), 10)).toEqual({
      kept: [record('a', 3), record('b', 2)],
      dropped: [],
    });
  });
});
