import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitUntil } from '../../cluster/wait-until.ts';
import { aReview } from '../../support/admission-review.ts';
import { aPod } from '../../support/injection-input.ts';
import {
  certificateFiles,
  configurationText,
  type InjectorOptions,
  RunningInjector,
} from '../../support/running-injector.ts';

let injectors: RunningInjector[];
const innocent = JSON.stringify(aReview(aPod()));

beforeEach(() => {
  injectors = [];
});

afterEach(async () => {
  await Promise.all(injectors.map((injector) => injector.remove()));
});

async function anInjector(options: InjectorOptions): Promise<RunningInjector> {
  const injector = await RunningInjector.start(options);
  injectors.push(injector);
  return injector;
}

describe('the injector', () => {
  test('after SIGTERM is not ready, answers on, and ends in order when nobody is sent to it any more', async () => {
    const injector = await anInjector({ flags: ['--drain-delay-seconds', '2'] });
    await injector.post(innocent);

    injector.signal('SIGTERM');
    await injector.untilLogged('Draining');
    const ready = await injector.ready();
    const answer = await injector.post(innocent);

    expect(ready).toMatchObject({ code: 503, body: expect.stringContaining('draining: stopping') });
    expect(answer).toMatchObject({ code: 200, headers: { connection: 'close' } });
    expect(await injector.ended).toBe(0);
    expect(injector.logged('Drained')).toHaveLength(1);
    expect(injector.logged('Connections cut off')).toEqual([]);
  });

  test('answers a request that is under way when it stops listening', async () => {
    const injector = await anInjector({ flags: ['--drain-delay-seconds', '0'] });
    const request = await injector.beginPost(innocent.length);
    await request.send(innocent.slice(0, 100));

    injector.signal('SIGTERM');
    await waitUntil({ what: 'it takes no connection', intervalMs: 10 }, () =>
      injector.servedSerial().then(
        () => false,
        () => true,
      ),
    );
    await request.send(innocent.slice(100));

    expect(await request.answer).toMatchObject({
      code: 200,
      body: expect.stringContaining('"allowed":true'),
    });
    expect(await injector.ended).toBe(0);
  });

  test('waits, not ready, for a certificate and a configuration, and needs no restart when they come', async () => {
    const injector = await anInjector({ isComplete: false });
    const { code, body } = await injector.ready();
    expect(code).toBe(503);
    expect(body).toMatch(/certificate: .*\nconfiguration: /);
    await expect(injector.servedSerial()).rejects.toThrow();

    await injector.certificates.replace(certificateFiles(await injector.authority.issue()));
    await injector.untilLogged('Files loaded', { what: 'certificate' });
    const unconfigured = await injector.post(innocent);
    await injector.configuration.replace({ 'config.json': configurationText() });
    await injector.untilReady();

    expect(unconfigured).toMatchObject({ code: 503 });
    expect(await injector.post(innocent)).toMatchObject({ code: 200 });
  });
});
