import { describe, expect, test } from 'vitest';
import type { Lingering } from '../../../../src/controllers/mesh/lingering.ts';
import { RemovalWait } from '../../../../src/controllers/mesh/removal-wait.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const deadlineMs = 600_000;

function aLingering(name: string, parts: Partial<Lingering> = {}): Lingering {
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'istio-system', name };
  return { id, finalizers: ['example.com/hold'], mayBeLeft: true, ...parts };
}

function aWait() {
  const clock = new FakeClock();
  return { clock, wait: new RemovalWait(clock, deadlineMs) };
}

describe('the wait of a removal', () => {
  test('is not shown as blocked for a minute, then says since when and until when', async () => {
    const { clock, wait } = aWait();
    const found = [aLingering('a')];

    wait.judge(0, found);
    expect(wait.report(found)).toEqual({
      held: found,
      goesWithoutAt: new Date('2026-01-01T00:10:00Z'),
      retryInMs: 60_000,
    });
    await clock.advance(60_000);

    wait.judge(0, found);
    expect(wait.report(found)).toEqual({
      held: found,
      blockedSince: new Date('2026-01-01T00:00:00Z'),
      goesWithoutAt: new Date('2026-01-01T00:10:00Z'),
      retryInMs: 540_000,
    });
  });

  test('ends at the deadline, and does not begin again for what was given up', async () => {
    const { clock, wait } = aWait();
    const found = [aLingering('a')];

    expect(wait.judge(0, found)).toEqual({ held: found, givenUp: [] });
    await clock.advance(deadlineMs - 1);
    expect(wait.judge(0, found)).toEqual({ held: found, givenUp: [] });
    await clock.advance(1);
    expect(wait.judge(0, found)).toEqual({ held: [], givenUp: found });
    expect(wait.judge(0, found)).toEqual({ held: [], givenUp: found });
  });

  test('begins anew whenever something has gone', async () => {
    const { clock, wait } = aWait();
    const [first, second] = [aLingering('a'), aLingering('b')];

    wait.judge(0, [first, second]);
    await clock.advance(deadlineMs - 1);
    wait.judge(0, [second]);
    await clock.advance(deadlineMs - 1);
    expect(wait.judge(0, [second]).held).toEqual([second]);
    wait.judge(1, [second]);
    await clock.advance(deadlineMs - 1);
    expect(wait.judge(1, [second]).held).toEqual([second]);
  });

  test('never ends for what may not be left, however long', async () => {
    const { clock, wait } = aWait();
    const found = [aLingering('a', { mayBeLeft: false }), aLingering('b')];

    wait.judge(0, found);
    await clock.advance(10 * deadlineMs);
    const { held, givenUp } = wait.judge(0, found);

    expect(held.map(({ id }) => id.name)).toEqual(['a']);
    expect(givenUp.map(({ id }) => id.name)).toEqual(['b']);
    expect(wait.report(held)).not.toHaveProperty('goesWithoutAt');
  });

  test('looks again soon at pods and refused deletions, which nothing tells of', () => {
    const { wait } = aWait();
    const pod = aLingering('a', { id: { apiVersion: 'v1', kind: 'Pod', namespace: 'x', name: 'a' } });

    expect(wait.report([pod]).retryInMs).toBe(1_000);
    expect(wait.report([aLingering('a', { refusal: 'denied' })]).retryInMs).toBe(10_000);
  });
});
