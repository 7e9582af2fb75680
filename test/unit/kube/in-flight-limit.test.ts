import { describe, expect, test } from 'vitest';
import { InFlightLimit } from '../../../src/kube/in-flight-limit.ts';
import { settlePromises } from '../../support/fake-clock.ts';

const never = new AbortController().signal;

/** Work that runs until it is told to end. */
function aGate() {
  const gate = Promise.withResolvers<void>();
  let isRunning = false;
  const work = async () => {
    isRunning = true;
    await gate.promise;
  };
  return { work, end: gate.resolve, isRunning: () => isRunning };
}

describe('the limit of work in flight', () => {
  test('lets no more run at once, and the next as soon as one has ended', async () => {
    const limit = new InFlightLimit(2);
    const gates = [aGate(), aGate(), aGate(), aGate()];
    const runs = gates.map(({ work }) => limit.run(never, work));
    await settlePromises();
    expect(gates.map(({ isRunning }) => isRunning())).toEqual([true, true, false, false]);

    gates[1]?.end();
    await settlePromises();

    expect(gates.map(({ isRunning }) => isRunning())).toEqual([true, true, true, false]);
    for (const { end } of gates) end();
    await Promise.all(runs);
  });

  test('frees the place of work that failed', async () => {
    const limit = new InFlightLimit(1);
    await expect(limit.run(never, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');

    expect(await limit.run(never, async () => 'done')).toBe('done');
  });

  test('does not run what was aborted while it waited, and gives its turn to the next', async () => {
    const limit = new InFlightLimit(1);
    const [first, second, third] = [aGate(), aGate(), aGate()];
    const abort = new AbortController();
    const runs = [limit.run(never, first.work), limit.run(never, third.work)];
    const aborted = limit.run(abort.signal, second.work);

    abort.abort(new Error('shutdown'));
    await expect(aborted).rejects.toThrow('shutdown');
    first.end();
    await settlePromises();

    expect(second.isRunning()).toBe(false);
    expect(third.isRunning()).toBe(true);
    third.end();
    await Promise.all(runs);
  });
});
