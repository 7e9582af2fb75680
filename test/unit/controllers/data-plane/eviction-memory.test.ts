import { describe, expect, it } from 'vitest';
import { EvictionMemory } from '../../../../src/controllers/data-plane/eviction-memory.ts';

describe('what is remembered of evictions', () => {
  it('gives a controller up for as long as the injector stays as it is', () => {
    const memory = new EvictionMemory();
    memory.update(0, 'monday');
    memory.evicted('rs', ['a', 'b']);

    memory.update(24 * 3_600_000, 'monday');

    expect([...(memory.knownPods.get('rs') ?? [])]).toEqual(['a', 'b']);
    expect(memory.nextInMs(0)).toBeUndefined();
  });

  it('lets it be tried again a little after the injector is reached anew, and more rarely each time', () => {
    const memory = new EvictionMemory();
    const waits: number[] = [];
    let nowMs = 0;
    for (let time = 0; time < 7; time += 1) {
      memory.evicted('rs', ['a']);
      memory.update(nowMs, `reached ${time}`);
      if (time === 0) continue; // before the first loss there is nothing to try again
      const waitMs = memory.nextInMs(nowMs) ?? Number.NaN;
      memory.update(nowMs + waitMs - 1, `reached ${time}`);
      expect(memory.knownPods.has('rs')).toBe(true);
      memory.update(nowMs + waitMs, `reached ${time}`);
      expect(memory.knownPods.has('rs')).toBe(false);
      waits.push(waitMs);
      nowMs += waitMs;
    }

    expect(waits.slice(1).every((wait, at) => wait >= (waits[at] ?? 0))).toBe(true);
    expect(Math.max(...waits)).toBe(60_000);
  });

  it('leaves a refused pod alone for half a minute', () => {
    const memory = new EvictionMemory();
    memory.refused('a', 1_000);

    expect(memory.nextInMs(1_000)).toBe(30_000);
    memory.update(30_999, 'monday');
    expect([...memory.refusedPods]).toEqual(['a']);
    memory.update(31_000, 'monday');
    expect([...memory.refusedPods]).toEqual([]);
  });
});
