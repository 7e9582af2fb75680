import { describe, expect, test } from 'vitest';
import type { ObjectKey } from '../../../src/api/kubernetes-object.ts';
import { keyText } from '../../../src/api/kubernetes-object.ts';
import { ConflictError, TerminalError, TransientError, WaitingError } from '../../../src/base/errors.ts';
import { Metrics } from '../../../src/observability/metrics.ts';
import { Controller, type ControllerOptions } from '../../../src/runtime/controller.ts';
import type { ReconcileContext, ReconcileResult, Reconciler } from '../../../src/runtime/reconciler.ts';
import { FakeClock, settlePromises } from '../../support/fake-clock.ts';
import { recordingLog } from '../../support/recording-log.ts';

type Behaviour = (context: ReconcileContext, pass: number) => Promise<ReconcileResult>;

/** Behaves per mesh name as told, and remembers when which pass began. */
class ScriptedReconciler implements Reconciler {
  readonly passes: { readonly key: string; readonly atMs: number }[] = [];
  readonly #clock: FakeClock;
  readonly #behaviours: Readonly<Record<string, Behaviour>>;

  constructor(clock: FakeClock, behaviours: Readonly<Record<string, Behaviour>>) {
    this.#clock = clock;
    this.#behaviours = behaviours;
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> {
    this.passes.push({ key: keyText(key), atMs: this.#clock.monotonicMs() });
    return this.#behaviours[key.name]?.(context, this.passesOf(key.name).length) ?? {};
  }

  /** Instants of the passes of one mesh, in ms after the first. */
  passesOf(name: string): number[] {
    const atMs = this.passes.filter(({ key }) => key === `ns/${name}`).map((pass) => pass.atMs);
    return atMs.map((instant) => instant - (atMs[0] ?? 0));
  }
}

function aController(
  behaviours: Readonly<Record<string, Behaviour>>,
  options: Partial<ControllerOptions> = {},
) {
  const clock = new FakeClock();
  const reconciler = new ScriptedReconciler(clock, behaviours);
  const { log, lines } = recordingLog();
  const metrics = new Metrics();
  const controller = new Controller(
    { name: 'mesh', workers: 2, backOff: { firstMs: 100, capMs: 1_000 }, ...options },
    { reconciler, clock, random: () => 0, log, metrics: metrics.controller('mesh') },
  );
  const stop = new AbortController();
  const start = () => controller.run(stop.signal);
  return { clock, controller, reconciler, lines, metrics, stop, start };
}

const meshNamed = (name: string): ObjectKey => ({ namespace: 'ns', name });
const failing = async (): Promise<never> => {
  throw new Error('boom');
};
/** Never ends, whatever its signal says. */
const hanging = () => new Promise<never>(() => {});
/** Ends when told to, as everything that waits should. */
const obedient = ({ signal }: ReconcileContext) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

describe('the controller', () => {
  test.each([
    {
      name: 'not soon after a terminal error',
      throws: new TerminalError('bad spec', { reason: 'InvalidSpec' }),
      passes: [0],
    },
    {
      name: 'at its time, without back-off, after a wait',
      throws: new WaitingError('not yet', { reason: 'Waiting', retryAfterMs: 700 }),
      passes: [0, 700, 1_400],
    },
    {
      name: 'after a growing back-off on a conflict',
      throws: new ConflictError('someone wrote first', { reason: 'Conflict' }),
      passes: [0, 100, 300, 700, 1_500],
    },
    {
      name: 'after a growing back-off on a transient error',
      throws: new TransientError('away', { reason: 'ApiServerUnreachable' }),
      passes: [0, 100, 300, 700, 1_500],
    },
    {
      name: 'not before the server asked for it',
      throws: new TransientError('busy', { reason: 'TooManyRequests', retryAfterMs: 900 }),
      passes: [0, 900],
    },
    {
      name: 'after a growing back-off on an error of unknown class',
      throws: new Error('bug'),
      passes: [0, 100, 300, 700, 1_500],
    },
  ])('runs a key again $name', async ({ throws, passes }) => {
    const { clock, controller, reconciler, start } = aController({ a: () => Promise.reject(throws) });
    void start();

    controller.enqueue(meshNamed('a'));
    await clock.advance(1_600);

    expect(reconciler.passesOf('a')).toEqual(passes);
  });

  test.each([
    { what: 'a terminal error', reason: 'InvalidSpec', afterMs: 300_000 },
    // An API server that has just started forbids everybody everything.
    { what: 'what was forbidden', reason: 'Forbidden', afterMs: 30_000 },
  ])(
    'looks at $what again after $afterMs ms, for what is mended where nothing is watched',
    async ({ reason, afterMs }) => {
      const { clock, controller, reconciler, start } = aController({
        a: () => Promise.reject(new TerminalError('no', { reason })),
      });
      void start();

      controller.enqueue(meshNamed('a'));
      await clock.advance(afterMs - 1);
      const before = reconciler.passesOf('a');
      await clock.advance(1);

      expect(before).toEqual([0]);
      expect(reconciler.passesOf('a')).toEqual([0, afterMs]);
    },
  );

  test('looks again within ten seconds however long the API server was away, since nobody says that it is back', async () => {
    const { clock, controller, reconciler, start } = aController(
      { a: () => Promise.reject(new TransientError('away', { reason: 'ApiServerUnreachable' })) },
      { backOff: { firstMs: 100, capMs: 300_000 } },
    );
    void start();

    controller.enqueue(meshNamed('a'));
    await clock.advance(600_000);

    const passes = reconciler.passesOf('a');
    const waits = passes.slice(1).map((at, index) => at - (passes[index] ?? 0));
    expect(Math.max(...waits)).toBe(10_000);
  });

  test('comes back when the pass asked for it, and starts the back-off anew after a success', async () => {
    const { clock, controller, reconciler, start } = aController({
      a: async (_context, pass) => (pass % 2 === 1 ? failing() : { requeueAfterMs: 400 }),
    });
    void start();

    controller.enqueue(meshNamed('a'));
    await clock.advance(1_100);

    expect(reconciler.passesOf('a')).toEqual([0, 100, 500, 600, 1_000, 1_100]);
  });

  test('is not slowed by a key that always fails, throws no error object, or hangs', async () => {
    const { controller, reconciler, start } = aController({
      failing,
      odd: () => Promise.reject('not an Error'),
      hanging,
    });
    void start();

    for (const name of ['failing', 'odd', 'hanging', 'good']) controller.enqueue(meshNamed(name));
    await settlePromises();

    expect(reconciler.passesOf('good')).toHaveLength(1);
  });

  test('frees the worker of a pass that hangs, and never runs its key a second time beside it', async () => {
    const { clock, controller, reconciler, lines, start } = aController(
      { hanging },
      { workers: 1, timeoutMs: 10_000 },
    );
    void start();
    controller.enqueue(meshNamed('hanging'));
    await settlePromises();

    controller.enqueue(meshNamed('hanging'));
    controller.enqueue(meshNamed('good'));
    await clock.advance(16_000);

    expect(reconciler.passesOf('good')).toHaveLength(1);
    expect(reconciler.passesOf('hanging')).toHaveLength(1);
    expect(lines.map(({ message }) => message)).toContain(
      'Reconcile ignores its abort; its key is held until it ends',
    );
  });

  test('aborts a pass that takes too long and retries it with back-off', async () => {
    const { clock, controller, reconciler, lines, start } = aController(
      { a: obedient },
      { timeoutMs: 10_000 },
    );
    void start();

    controller.enqueue(meshNamed('a'));
    await clock.advance(10_100);

    expect(reconciler.passesOf('a')).toEqual([0, 10_100]);
    expect(lines.map(({ error }) => error)).toContain('Reconcile took longer than 10 s');
  });

  test('never runs one key twice at once', async () => {
    const ends: (() => void)[] = [];
    const { controller, reconciler, start } = aController({
      a: () => new Promise((resolve) => ends.push(() => resolve({}))),
    });
    void start();
    controller.enqueue(meshNamed('a'));
    await settlePromises();

    controller.enqueue(meshNamed('a'));
    await settlePromises();
    expect(reconciler.passesOf('a')).toHaveLength(1);
    ends[0]?.();
    await settlePromises();
    expect(reconciler.passesOf('a')).toHaveLength(2);
  });

  test('stops by aborting the passes under way, and takes them up again in its next run', async () => {
    const { controller, reconciler, stop, start } = aController({
      a: (context, pass) => (pass === 1 ? obedient(context) : Promise.resolve({})),
    });
    const stopped = start();
    controller.enqueue(meshNamed('a'));
    await settlePromises();

    stop.abort(new Error('stop'));
    await stopped;
    expect(reconciler.passesOf('a')).toHaveLength(1);

    const again = new AbortController();
    void controller.run(again.signal);
    await settlePromises();
    expect(reconciler.passesOf('a')).toHaveLength(2);
  });

  test('counts passes by result', async () => {
    const { clock, controller, metrics, start } = aController({
      bad: () => Promise.reject(new TerminalError('bad', { reason: 'InvalidSpec' })),
    });
    void start();

    controller.enqueue(meshNamed('bad'));
    controller.enqueue(meshNamed('good'));
    await clock.advance(0);
    const text = await metrics.text();

    expect(text).toContain('controller_runtime_reconcile_total{controller="mesh",result="terminal"} 1');
    expect(text).toContain('controller_runtime_reconcile_total{controller="mesh",result="success"} 1');
    expect(text).toContain('controller_runtime_reconcile_errors_total{controller="mesh"} 1');
    expect(text).toContain('workqueue_adds_total{name="mesh"} 2');
    expect(text).toContain('workqueue_depth{name="mesh"} 0');
  });

  test('names controller and key in its log lines, and the reason of an error', async () => {
    const { clock, controller, lines, start } = aController({
      a: () => Promise.reject(new TerminalError('spec.tag is bad', { reason: 'InvalidSpec' })),
    });
    void start();

    controller.enqueue(meshNamed('a'));
    await clock.advance(0);

    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        controller: 'mesh',
        key: 'ns/a',
        reason: 'InvalidSpec',
        error: 'spec.tag is bad',
      }),
    );
  });
});
