import { keyText, type ObjectKey } from '../api/kubernetes-object.ts';
import { type Clock, nextTurn } from '../base/clock.ts';
import { ConflictError, TerminalError, TransientError, WaitingError } from '../base/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { ControllerMetrics, ReconcileOutcome } from '../observability/metrics.ts';
import type { BackOffOptions, RandomSource } from './back-off.ts';
import type { ReconcileResult, Reconciler } from './reconciler.ts';
import { Workqueue } from './workqueue.ts';

export interface ControllerOptions {
  /** Names the controller in logs and metrics. */
  readonly name: string;
  /** Passes for different keys that may run at once; default 8. */
  readonly workers?: number;
  /** A pass that takes longer is aborted and counts as a transient error; default 2 min. */
  readonly timeoutMs?: number;
  /** Waits of a key that fails; default 0.1 s doubling up to 5 min. */
  readonly backOff?: BackOffOptions;
}

export interface ControllerDeps {
  readonly reconciler: Reconciler;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
}

const defaultBackOff: BackOffOptions = { firstMs: 100, capMs: 300_000 };
const defaultWorkers = 8;
const defaultTimeoutMs = 120_000;
/**
 * An API server that does not answer says nothing of the object, and nobody wakes a key when it is back: so keys that have
 * met that look again at least this often, however long it has lasted.
 */
const transientRetryMs = 10_000;
/** What a person must mend may lie outside what is watched: rights, or an object of somebody else. */
const terminalRetryMs = 300_000;
/** An API server that has just started forbids everybody everything, until it has read its roles. */
const forbiddenRetryMs = 30_000;
/** An aborted pass that has not ended after this long holds its key, but its worker goes on without it. */
const abandonAfterMs = 5_000;

/**
 * Runs a reconciler for the keys in its workqueue and decides from the class of what it throws when to come back:
 * Terminal when something changes, or a few minutes later (half a minute where something was forbidden), Waiting at its
 * time, Conflict at once but rate-limited, anything else after the key's back-off, an abort not at all. One key never
 * runs twice at once, and a key that fails, hangs or throws anything never slows another.
 */
export class Controller {
  readonly name: string;
  readonly #options: ControllerOptions;
  readonly #deps: ControllerDeps;
  readonly #queue: Workqueue;

  constructor(options: ControllerOptions, deps: ControllerDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#queue = new Workqueue({
      clock: deps.clock,
      random: deps.random,
      metrics: deps.metrics.workqueue,
      backOff: options.backOff ?? defaultBackOff,
    });
  }

  /** Asks for a pass. Keys added before `run`, or between two runs, wait for it. */
  enqueue(key: ObjectKey): void {
    this.#queue.add(keyText(key));
  }

  /** Asks for a pass after `delayMs`; of several such wishes for one key the earliest counts. For what comes in bursts. */
  enqueueAfter(key: ObjectKey, delayMs: number): void {
    this.#queue.addAfter(keyText(key), delayMs);
  }

  /**
   * Works until `signal` is aborted, then aborts the passes under way and resolves when they have ended.
   * May be called again: what was not finished is still queued.
   */
  async run(signal: AbortSignal): Promise<void> {
    const workers = Array.from({ length: this.#options.workers ?? defaultWorkers }, () => this.#work(signal));
    await Promise.all(workers);
    await this.#queue.idle();
  }

  /** Drops queued keys and timers; for after the last run. */
  stop(): void {
    this.#queue.clear();
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.take(signal); key !== undefined; key = await this.#queue.take(signal)) {
      await this.#runOnce(key, signal);
      // Passes that change nothing never wait: hundreds in a row would keep the lease from being renewed.
      await nextTurn();
    }
  }

  /** Resolves when the pass has ended, or when it was given up for hanging. Never rejects. */
  async #runOnce(key: string, signal: AbortSignal): Promise<void> {
    const { clock, log: parentLog } = this.#deps;
    const log = parentLog.child({ controller: this.name, key });
    const timeoutMs = this.#options.timeoutMs ?? defaultTimeoutMs;
    const abort = new AbortController();
    const abandoned = Promise.withResolvers<void>();
    let cancelAbandon: (() => void) | undefined;

    const stop = (reason: unknown) => {
      abort.abort(reason);
      cancelAbandon ??= clock.setTimer(abandonAfterMs, () => {
        log.error('Reconcile ignores its abort; its key is held until it ends');
        abandoned.resolve();
      });
    };
    const onStop = () => stop(signal.reason);
    signal.addEventListener('abort', onStop, { once: true });
    const cancelTimeout = clock.setTimer(timeoutMs, () =>
      stop(
        new TransientError(`Reconcile took longer than ${timeoutMs / 1000} s`, {
          reason: 'ReconcileTimeout',
        }),
      ),
    );

    const pass = this.#reconcile(key, abort.signal, signal, log).finally(() => {
      cancelTimeout();
      cancelAbandon?.();
      signal.removeEventListener('abort', onStop);
      this.#queue.done(key);
    });
    await Promise.race([pass, abandoned.promise]);
  }

  async #reconcile(
    key: string,
    passSignal: AbortSignal,
    stopSignal: AbortSignal,
    log: Logger,
  ): Promise<void> {
    const { clock, metrics, reconciler } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    metrics.started();
    let outcome: ReconcileOutcome;
    try {
      const result = await reconciler.reconcile(parseKey(key), { signal: passSignal, log });
      outcome = this.#onSuccess(key, result);
    } catch (error) {
      if (stopSignal.aborted) outcome = this.#onAbort(key, log);
      else outcome = this.#onError(key, passSignal.aborted ? passSignal.reason : error, log);
    }
    const durationMs = clock.monotonicMs() - startedAtMs;
    metrics.ended(outcome, durationMs / 1000);
    log.debug('Reconciled', { outcome, durationMs: Math.round(durationMs) });
  }

  #onSuccess(key: string, result: ReconcileResult): ReconcileOutcome {
    this.#queue.forget(key);
    if (result.requeueAfterMs === undefined) return 'success';
    this.#queue.addAfter(key, result.requeueAfterMs);
    return 'requeue_after';
  }

  /** The key stays queued, for the case that this process leads again. */
  #onAbort(key: string, log: Logger): ReconcileOutcome {
    this.#queue.add(key);
    log.debug('Reconcile aborted');
    return 'aborted';
  }

  #onError(key: string, error: unknown, log: Logger): ReconcileOutcome {
    if (error instanceof TerminalError) {
      this.#queue.forget(key);
      const retryInMs = error.reason === 'Forbidden' ? forbiddenRetryMs : terminalRetryMs;
      this.#queue.addAfter(key, retryInMs);
      log.error('Reconcile failed until something changes', { reason: error.reason, retryInMs, error });
      return 'terminal';
    }
    if (error instanceof WaitingError) {
      this.#queue.forget(key);
      this.#queue.addAfter(key, error.retryAfterMs);
      log.info('Reconcile waits', { reason: error.reason, retryInMs: error.retryAfterMs, error });
      return 'waiting';
    }
    if (error instanceof ConflictError) {
      const retryInMs = this.#queue.addRateLimited(key);
      log.debug('Reconcile met another writer', { reason: error.reason, retryInMs, error });
      return 'conflict';
    }
    const retryInMs = this.#queue.addRateLimited(
      key,
      error instanceof TransientError
        ? { atLeastMs: error.retryAfterMs ?? 0, atMostMs: transientRetryMs }
        : {},
    );
    log.warn('Reconcile failed', { failures: this.#queue.failuresOf(key), retryInMs, error });
    return 'error';
  }
}

function parseKey(key: string): ObjectKey {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
