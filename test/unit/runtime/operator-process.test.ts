import { describe, expect, test } from 'vitest';
import { Manager } from '../../../src/runtime/manager.ts';
import { OperatorProcess } from '../../../src/runtime/operator-process.ts';
import { FakeClock, settlePromises } from '../../support/fake-clock.ts';
import { recordingLog } from '../../support/recording-log.ts';

/** What stays of the base class: its life cycle, and what only the overridden methods call. */
const kept = ['constructor', 'start', 'stop', 'init', 'resourceStatusRequest', 'errorToJson'];
const baseMethods = Object.getOwnPropertyNames(Object.getPrototypeOf(OperatorProcess.prototype));
const ownMethods = Object.getOwnPropertyNames(OperatorProcess.prototype);

function aProcess() {
  const { log, lines } = recordingLog();
  const manager = new Manager({}, { clock: new FakeClock(), log, informers: [], controllers: [] });
  return { process: new OperatorProcess({ manager, log }), lines };
}

describe('the process', () => {
  test('overrides every method of its base class that talks to an API server', () => {
    const left = baseMethods.filter((method) => !kept.includes(method) && !ownMethods.includes(method));

    expect(left).toEqual([]);
    expect(baseMethods).toEqual(expect.arrayContaining(['watchResource', 'setResourceFinalizers']));
  });

  test.each(baseMethods.filter((method) => !kept.includes(method)))('refuses %s and says why', (method) => {
    const { process } = aProcess();
    const methods = process as unknown as Record<string, () => void>;

    expect(() => methods[method]?.()).toThrow(`Operator.${method} is not used here (ADR 0002)`);
  });

  test('runs until it is stopped, and may be stopped twice', async () => {
    const { process, lines } = aProcess();
    let hasEnded = false;
    const ended = process.run().then(() => {
      hasEnded = true;
    });
    await settlePromises();

    process.stop();
    process.stop();
    await ended;

    expect(hasEnded).toBe(true);
    expect(lines.filter(({ message }) => message === 'Stopping')).toHaveLength(1);
  });
});
