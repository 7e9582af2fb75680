import { describe, expect, test } from 'vitest';
import { Metrics } from '../../../src/observability/metrics.ts';
import { Workqueue } from '../../../src/runtime/workqueue.ts';
import { FakeClock, settlePromises } from '../../support/fake-clock.ts';

const never = new AbortController().signal;

function aQueue() {
  const clock = new FakeClock();
  const queue = new Workqueue({
    clock,
    random: () => 0,
    metrics: new Metrics().workqueue('test'),
    backOff: { firstMs: 100, capMs: 1_000 },
  });
  return { clock, queue };
}

describe('the workqueue', () => {
  test('holds a key once, however often it is added', async () => {
    const { queue } = aQueue();

    for (const key of ['a', 'b', 'a', 'a']) queue.add(key);

    expect(queue.depth).toBe(2);
    expect([await queue.take(never), await queue.take(never)]).toEqual(['a', 'b']);
    expect(queue.depth).toBe(0);
  });

  test('looks after a day at a key that waits for longer than a timer holds', async () => {
    const { clock, queue } = aQueue();
    const day = 24 * 3_600_000;

    queue.addAfter('a', 60 * day);

    await clock.advance(day - 1);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  test('does not give a key out while its pass runs, but once more right after', async () => {
    const { queue } = aQueue();
    queue.add('a');
    await queue.take(never);

    queue.add('a');
    queue.add('a');

    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(queue.depth).toBe(1);
    expect(await queue.take(never)).toBe('a');
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  test('hands a key to a worker that was already waiting', async () => {
    const { queue } = aQueue();
    const taken = queue.take(never);

    queue.add('a');

    expect(await taken).toBe('a');
  });

  test('lets a waiting worker go when its signal is aborted, and keeps the key for the next', async () => {
    const { queue } = aQueue();
    const stop = new AbortController();
    const taken = queue.take(stop.signal);

    stop.abort();
    queue.add('a');

    expect(await taken).toBeUndefined();
    expect(await queue.take(never)).toBe('a');
  });

  test('adds a key later, at the earliest of the instants asked for', async () => {
    const { clock, queue } = aQueue();

    queue.addAfter('a', 500);
    queue.addAfter('a', 300);
    queue.addAfter('a', 900);

    await clock.advance(299);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('forgets a later instant when the key is added at once', () => {
    const { clock, queue } = aQueue();
    queue.addAfter('a', 500);

    queue.add('a');

    expect(clock.pendingTimers).toBe(0);
    expect(queue.depth).toBe(1);
  });

  test('makes a failing key wait longer each time, up to the cap, until it is forgotten', async () => {
    const { queue } = aQueue();

    const waits = Array.from({ length: 6 }, () => queue.addRateLimited('a'));
    queue.forget('a');

    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(queue.addRateLimited('a')).toBe(100);
  });

  test('does not come back before the server asked it to', () => {
    const { queue } = aQueue();

    expect(queue.addRateLimited('a', { atLeastMs: 7_000 })).toBe(7_000);
  });

  test('does not wait longer than its caller wants, unless the server asked for that', () => {
    const { queue } = aQueue();
    const waits = Array.from({ length: 4 }, () => queue.addRateLimited('a', { atMostMs: 300 }));

    expect(waits).toEqual([100, 200, 300, 300]);
    expect(queue.addRateLimited('a', { atLeastMs: 7_000, atMostMs: 300 })).toBe(7_000);
  });

  test('keeps a failing key from delaying another', async () => {
    const { queue } = aQueue();
    queue.addRateLimited('poison');

    queue.add('good');

    expect(await queue.take(never)).toBe('good');
  });

  test('is idle only when the last pass has ended', async () => {
    const { queue } = aQueue();
    queue.add('a');
    queue.add('b');
    await queue.take(never);
    await queue.take(never);
    let isIdle = false;
    const idle = queue.idle().then(() => {
      isIdle = true;
    });

    queue.done('a');
    await settlePromises();
    expect(isIdle).toBe(false);
    queue.done('b');
    await idle;
    expect(isIdle).toBe(true);
  });

  test('becomes idle although the last key was wanted again, and taken at once', async () => {
    const { queue } = aQueue();
    queue.add('a');
    await queue.take(never);
    let isIdle = false;
    void queue.idle().then(() => {
      isIdle = true;
    });
    queue.add('a');
    const again = queue.take(never);

    queue.done('a');
    await again;
    await settlePromises();
    expect(isIdle).toBe(false);
    queue.done('a');
    await settlePromises();
    expect(isIdle).toBe(true);
  });

  test('drops keys and timers when cleared', () => {
    const { clock, queue } = aQueue();
    queue.add('a');
    queue.addAfter('b', 100);

    queue.clear();

    expect(queue.depth).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
