/** How long a pod that a disruption budget keeps is left alone. */
const refusedForMs = 30_000;

/** Waits before another try at a controller whose pods have come back bare; each is twice the one before. */
const firstRetryMs = 5_000;
const longestRetryMs = 60_000;

interface Retry {
  readonly times: number;
  /** Undefined until the injector is reached anew. */
  readonly atMs: number | undefined;
}

/**
 * What a process remembers of the evictions of one mesh, by uids; times are monotonic. A controller whose pods come back
 * bare is given up, until the injector was lost and is reached anew: it may have been lost in just that moment. While it
 * comes and goes, tries are made ever more rarely, once a minute in the end.
 */
export class EvictionMemory {
  readonly #known = new Map<string, ReadonlySet<string>>();
  readonly #retries = new Map<string, Retry>();
  readonly #refusedUntilMs = new Map<string, number>();
  #reachedSince: string | undefined;

  /** The pods that were bare when one of a controller's was evicted: any other bare one has come back so. */
  get knownPods(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#known;
  }

  /** Pods that were refused to us a moment ago. */
  get refusedPods(): ReadonlySet<string> {
    return new Set(this.#refusedUntilMs.keys());
  }

  /** Takes note of the time and of since when the injector is reached; forgets what is over. */
  update(nowMs: number, reachedSince: string): void {
    if (this.#reachedSince !== reachedSince) this.#planRetries(nowMs);
    this.#reachedSince = reachedSince;
    for (const [controller, { times, atMs }] of this.#retries) {
      if (atMs === undefined || atMs > nowMs) continue;
      this.#known.delete(controller);
      this.#retries.set(controller, { times, atMs: undefined });
    }
    for (const [pod, untilMs] of this.#refusedUntilMs) if (untilMs <= nowMs) this.#refusedUntilMs.delete(pod);
  }

  evicted(controller: string, barePods: readonly string[]): void {
    this.#known.set(controller, new Set(barePods));
  }

  refused(pod: string, nowMs: number): void {
    this.#refusedUntilMs.set(pod, nowMs + refusedForMs);
  }

  /** How long until something of it is over; undefined when nothing is waited for. */
  nextInMs(nowMs: number): number | undefined {
    const times = [...this.#retries.values()].flatMap(({ atMs }) => (atMs === undefined ? [] : [atMs]));
    times.push(...this.#refusedUntilMs.values());
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - nowMs);
  }

  #planRetries(nowMs: number): void {
    for (const controller of this.#known.keys()) {
      const times = this.#retries.get(controller)?.times ?? 0;
      const waitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** times);
      this.#retries.set(controller, { times: times + 1, atMs: nowMs + waitMs });
    }
  }
}
