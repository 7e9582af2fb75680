import { writeFile } from 'node:fs/promises';
import type { KindInfo } from '../../src/api/kinds.ts';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { openConnection } from '../../src/kube/api-connection.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { createLogger, type Logger } from '../../src/observability/logger.ts';
import { Informer } from '../../src/runtime/informer.ts';

/** What one pass of a daemon works with. */
export interface DaemonPass {
  /** One for each kind that was asked for, in that order; their caches are filled. */
  readonly informers: readonly Informer[];
  readonly client: KubeClient;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface ClusterDaemonOptions {
  /** Path of a kubeconfig. */
  readonly kubeconfig: string;
  readonly kinds: readonly KindInfo[];
  /** Brings the world to what the caches say; called after every change, never twice at once. */
  readonly pass: (pass: DaemonPass) => Promise<void>;
  /** Calls `wake` when something beside the kinds has changed; ends with the signal. */
  readonly wakeOn?: (wake: () => void, signal: AbortSignal) => void;
}

/** Changes that come together are handled together. */
const gatherMs = 20;
const retryMs = 500;

/**
 * Runs a small controller of a local cluster until SIGTERM or SIGINT: one pass when its caches are filled and
 * one after each change; a pass that fails is logged and tried again.
 */
export async function runClusterDaemon(options: ClusterDaemonOptions): Promise<void> {
  // Node calls its main thread MainThread; who supervises us looks for the program's name.
  await writeFile('/proc/self/comm', 'node');
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  // Timers of the clock do not keep a process alive, and while the API server is away there are no sockets.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  const log = createLogger('info', process.stderr);
  const connection = openConnection({ kubeconfig: options.kubeconfig }, systemClock);
  const client = new KubeClient({ connection, clock: systemClock });
  const deps = { client, clock: systemClock, log, random: Math.random };
  const informers = options.kinds.map((kind) => new Informer({ kind }, deps));

  let change = Promise.withResolvers<void>();
  for (const informer of informers) informer.addHandler(() => change.resolve());
  options.wakeOn?.(() => change.resolve(), stop.signal);
  const running = informers.map((informer) => informer.run(stop.signal));
  stop.signal.addEventListener('abort', () => change.resolve());
  try {
    await Promise.all(informers.map((informer) => informer.waitForSync(stop.signal)));
    log.info('Watching', { kinds: options.kinds.map(({ plural }) => plural).join(', ') });
    change.resolve();
    while (!stop.signal.aborted) {
      await change.promise;
      await sleep(systemClock, gatherMs, stop.signal);
      change = Promise.withResolvers<void>();
      try {
        await options.pass({ informers, client, log, signal: stop.signal });
      } catch (error) {
        log.warn('Pass failed', { error, retryInMs: retryMs });
        await sleep(systemClock, retryMs, stop.signal);
        change.resolve();
      }
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    stop.abort();
    await Promise.all(running);
    await connection.close();
    clearInterval(keepAlive);
  }
}

/** The value of `--name` on the command line; throws when it is missing. */
export function requiredFlag(args: readonly string[], name: string): string {
  const value = args[args.indexOf(`--${name}`) + 1];
  if (!args.includes(`--${name}`) || value === undefined) throw new Error(`--${name} <value> is needed`);
  return value;
}
