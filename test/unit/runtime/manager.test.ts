import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Metrics } from '../../../src/observability/metrics.ts';
import { Controller } from '../../../src/runtime/controller.ts';
import { Manager } from '../../../src/runtime/manager.ts';
import { recordingLog } from '../../support/recording-log.ts';

test('a server is told at once when a stop is asked for, and waited for until it has ended', async () => {
  const events: string[] = [];
  const running = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  const server = {
    start: async () => void events.push('started'),
    stop: () => {
      events.push('stopping');
      return drained.promise;
    },
  };
  const { log } = recordingLog();
  const clock = systemClock;
  const reconciler = {
    reconcile: async () => {
      running.resolve();
      return {};
    },
  };
  const controller = new Controller(
    { name: 'test' },
    { clock, log, reconciler, random: Math.random, metrics: new Metrics().controller('test') },
  );
  controller.enqueue({ namespace: 'a', name: 'b' });
  const manager = new Manager(
    {},
    { clock, log, informers: [], controllers: [controller], servers: [server] },
  );
  const stop = new AbortController();
  const ended = manager.run(stop.signal).then(() => events.push('ended'));
  await running.promise;

  stop.abort();
  expect(events).toEqual(['started', 'stopping']);
  drained.resolve();
  await ended;

  expect(events.at(-1)).toBe('ended');
});
