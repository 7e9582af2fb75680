import { describe, expect, it } from 'vitest';
import { pauseAt, pauseEndsInMs } from '../../../src/api/pause.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

const until = '2026-01-01T12:00:00Z';

describe('pauseAt', () => {
  it('has none without the field', () => {
    expect(pauseAt(aMeshOperator(), new Date(until))).toBeUndefined();
  });

  it('lasts until it is removed when no end is given', () => {
    const mesh = aMeshOperator({ paused: { reason: 'holidays' } });

    expect(pauseAt(mesh, new Date('2126-01-01T00:00:00Z'))).toEqual({ reason: 'holidays', until: undefined });
  });

  it('ends at its end', () => {
    const mesh = aMeshOperator({ paused: { reason: 'holidays', until } });

    expect(pauseAt(mesh, new Date('2026-01-01T11:59:59.999Z'))).toEqual({
      reason: 'holidays',
      until: new Date(until),
    });
    expect(pauseAt(mesh, new Date(until))).toBeUndefined();
  });
});

describe('pauseEndsInMs', () => {
  it('tells how long a pause still lasts, and nothing of one that somebody has to end', () => {
    const pause = { reason: 'holidays', until: new Date(until) };

    expect(pauseEndsInMs(pause, new Date('2026-01-01T11:59:00Z'))).toBe(60_000);
    expect(pauseEndsInMs(pause, new Date('2026-01-01T13:00:00Z'))).toBe(0);
    expect(pauseEndsInMs({ ...pause, until: undefined }, new Date(until))).toBeUndefined();
  });
});
