import type { CancelTimer, Clock } from '../base/clock.ts';
import type { WorkqueueMetrics } from '../observability/metrics.ts';
import { type BackOffOptions, backOffMs, type RandomSource } from './back-off.ts';

export interface WorkqueueDeps {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly metrics: WorkqueueMetrics;
  readonly backOff: BackOffOptions;
}

const longestWaitMs = 24 * 3_600_000;

/**
 * Keys waiting for a pass. A key is in it once, however often it is added, and is never given out while a pass for
 * it runs; added during its own pass, it comes again right after. First come first served, so one key that always
 * fails never delays another: it waits out its back-off outside the line.
 */
export class Workqueue {
  readonly #deps: WorkqueueDeps;
  /** In the order they will be given out; a Map keeps it and finds a key at once. Values: since when. */
  readonly #ready = new Map<string, number>();
  readonly #processing = new Map<string, number>();
  /** Added while their pass runs. */
  readonly #again = new Set<string>();
  readonly #later = new Map<string, { readonly dueMs: number; readonly cancel: CancelTimer }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string) => void)[] = [];
  #isIdle = Promise.withResolvers<void>();

  constructor(deps: WorkqueueDeps) {
    this.#deps = deps;
  }

  /** Keys ready to be taken. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Asks for a pass as soon as possible. */
  add(key: string): void {
    this.#cancelLater(key);
    if (this.#ready.has(key) || this.#again.has(key)) return;
    this.#deps.metrics.added();
    if (this.#processing.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#ready.set(key, this.#deps.clock.monotonicMs());
    this.#deps.metrics.depth(this.#ready.size);
    this.#hand();
  }

  /**
   * Asks for a pass after `wantedMs`; of several such wishes for one key the earliest counts. Of a very long wait a day is
   * kept: a timer of Node holds 24 days and fires at once beyond, and a pass too early does no harm.
   */
  addAfter(key: string, wantedMs: number): void {
    const delayMs = Math.min(wantedMs, longestWaitMs);
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#deps.clock.monotonicMs() + delayMs;
    const planned = this.#later.get(key);
    if (planned !== undefined && planned.dueMs <= dueMs) return;
    planned?.cancel();
    const cancel = this.#deps.clock.setTimer(delayMs, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { dueMs, cancel });
  }

  /**
   * Asks for a pass after the key's back-off, which grows with each call until `forget`, but not before `atLeastMs`, and
   * not later than after `atMostMs` unless that is sooner. Returns the wait in milliseconds.
   */
  addRateLimited(key: string, { atLeastMs = 0, atMostMs = Number.POSITIVE_INFINITY } = {}): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#deps.metrics.retried();
    const backOff = backOffMs(failures, this.#deps.backOff, this.#deps.random);
    const delayMs = Math.max(atLeastMs, Math.min(atMostMs, backOff));
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** Starts the key's back-off anew; for after a success. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How often the key has failed since its last success. */
  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, for which the caller must call `done`; undefined when aborted while waiting. */
  take(signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve(undefined);
        return;
      }
      const onAbort = () => {
        this.#takers.splice(this.#takers.indexOf(taker), 1);
        resolve(undefined);
      };
      const taker = (key: string) => {
        signal.removeEventListener('abort', onAbort);
        resolve(key);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#takers.push(taker);
      this.#hand();
    });
  }

  /** The pass for a taken key is over; the key may be given out again. */
  done(key: string): void {
    const startedAtMs = this.#processing.get(key);
    if (startedAtMs === undefined) return;
    this.#processing.delete(key);
    this.#deps.metrics.worked((this.#deps.clock.monotonicMs() - startedAtMs) / 1000);
    if (this.#again.delete(key)) {
      this.#ready.set(key, this.#deps.clock.monotonicMs());
      this.#deps.metrics.depth(this.#ready.size);
      this.#hand();
    }
    if (this.#processing.size > 0) return;
    this.#isIdle.resolve();
    this.#isIdle = Promise.withResolvers<void>();
  }

  /** Resolves when no pass runs. */
  async idle(): Promise<void> {
    while (this.#processing.size > 0) await this.#isIdle.promise;
  }

  /** Drops all wishes and timers. A running pass goes on to its `done`. */
  clear(): void {
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
    this.#ready.clear();
    this.#again.clear();
    this.#failures.clear();
    this.#deps.metrics.depth(0);
  }

  #hand(): void {
    for (const [key, sinceMs] of this.#ready) {
      const taker = this.#takers.shift();
      if (taker === undefined) return;
      const nowMs = this.#deps.clock.monotonicMs();
      this.#ready.delete(key);
      this.#processing.set(key, nowMs);
      this.#deps.metrics.depth(this.#ready.size);
      this.#deps.metrics.waited((nowMs - sinceMs) / 1000);
      taker(key);
    }
  }

  #cancelLater(key: string): void {
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
  }
}
