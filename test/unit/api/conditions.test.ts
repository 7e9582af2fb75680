import { describe, expect, it } from 'vitest';
import { conditionTable, findCondition, removeCondition, setCondition } from '../../../src/api/conditions.ts';

const noon = new Date('2026-01-01T12:00:00.987Z');
const later = new Date('2026-01-01T12:00:05.000Z');
const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: 'All is well',
  observedGeneration: 1,
} as const;

describe('setCondition', () => {
  it('notes the time of a new condition in whole seconds', () => {
    expect(setCondition([], ready, noon)).toEqual([{ ...ready, lastTransitionTime: '2026-01-01T12:00:00Z' }]);
  });

  it('keeps the time while the status stays, whatever else changes', () => {
    const before = setCondition([], ready, noon);

    const after = setCondition(before, { ...ready, message: 'Still well', observedGeneration: 2 }, later);

    expect(after).toEqual([
      { ...ready, message: 'Still well', observedGeneration: 2, lastTransitionTime: '2026-01-01T12:00:00Z' },
    ]);
  });

  it('moves the time when the status changes', () => {
    const before = setCondition([], ready, noon);

    const after = setCondition(before, { ...ready, status: 'False' }, later);

    expect(findCondition(after, 'Ready')?.lastTransitionTime).toBe('2026-01-01T12:00:05Z');
  });

  it('keeps the order and leaves the old list as it is', () => {
    const before = setCondition(setCondition([], ready, noon), { ...ready, type: 'GatewaysReady' }, noon);

    const after = setCondition(before, { ...ready, status: 'Unknown' }, later);

    expect(after.map(({ type }) => type)).toEqual(['Ready', 'GatewaysReady']);
    expect(findCondition(before, 'Ready')?.status).toBe('True');
    expect(findCondition(after, 'Ready')?.status).toBe('Unknown');
  });
});

describe('removeCondition', () => {
  it('takes a condition out, and gives the same list when there is none', () => {
    const conditions = setCondition([], ready, noon);

    expect(removeCondition(conditions, 'Ready')).toEqual([]);
    expect(removeCondition(conditions, 'Stalled')).toBe(conditions);
  });
});

describe('conditionTable', () => {
  it('names each condition once and each reason once per condition, all in PascalCase', () => {
    const types = conditionTable.map(({ type }) => type);
    const reasons = conditionTable.map((row) => row.reasons.map(({ reason }) => reason));

    expect(new Set(types).size).toBe(types.length);
    for (const list of reasons) expect(new Set(list).size).toBe(list.length);
    for (const word of [...types, ...reasons.flat()]) expect(word).toMatch(/^([A-Z][a-z]+)+$/);
  });
});
