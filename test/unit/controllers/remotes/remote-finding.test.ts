import { describe, expect, test } from 'vitest';
import { findingOfStep } from '../../../../src/controllers/remotes/remote-finding.ts';

const now = new Date('2026-01-01T00:00:00Z');
const later = new Date('2026-01-01T00:00:20Z');
const clock = { reason: 'ClockSkew', isOther: false, message: 'has another time' } as const;

describe('a cluster with nothing to do', () => {
  test('is connected while a replica of istiod is Ready', () => {
    const finding = findingOfStep(
      { do: 'nothing', dueAt: later },
      { problem: undefined, isIstiodReady: true },
      now,
    );
    expect(finding).toEqual({
      ...{ state: 'Ready', reason: 'Connected', message: 'istiod reads it' },
      ...{ againInMs: 20_000, renewAt: later.toISOString() },
    });
  });

  test('is not said to be read where no replica could have done so, and blocks nothing', () => {
    const { state, reason, againInMs } = findingOfStep(
      { do: 'nothing' },
      { problem: undefined, isIstiodReady: false },
      now,
    );
    expect([state, reason, againInMs]).toEqual(['Ready', 'IstiodNotReady', 60_000]);
  });

  test('says what is wrong with it rather than who reads it', () => {
    for (const isIstiodReady of [true, false]) {
      const { state, reason, message } = findingOfStep(
        { do: 'nothing' },
        { problem: clock, isIstiodReady },
        now,
      );
      expect([state, reason, message]).toEqual(['Degraded', 'ClockSkew', 'has another time']);
    }
  });
});

test('no sentence about a step says that istiod reads a cluster, which is not known of it', () => {
  const steps = [
    { do: 'settle', until: later },
    { do: 'revoke' },
    { do: 'queue' },
    { do: 'wait', behind: ['istiod-1 is behind'] },
  ] as const;
  const messages = steps.map(
    (step) => findingOfStep(step, { problem: undefined, isIstiodReady: false }, now).message,
  );
  expect(messages.filter((message) => message.includes('istiod reads'))).toEqual([]);
});
