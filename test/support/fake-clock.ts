import { type CancelTimer, type Clock, nextTurn } from '../../src/base/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until it is told to move. `advance` fires due timers in order and lets promises settle
 * after each, so that what a timer sets off may set timers of its own.
 */
export class FakeClock implements Clock {
  #nowMs: number;
  #timers = new Set<Timer>();
  #order = 0;

  constructor(start = '2026-01-01T00:00:00Z') {
    this.#nowMs = Date.parse(start);
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that are set and have not fired. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves the time by `ms`, firing what becomes due on the way at its own instant. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settlePromises();
    for (let timer = this.#nextBefore(endMs); timer !== undefined; timer = this.#nextBefore(endMs)) {
      this.#timers.delete(timer);
      this.#nowMs = timer.dueMs;
      timer.callback();
      await settlePromises();
    }
    this.#nowMs = endMs;
    await settlePromises();
  }

  #nextBefore(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > endMs) continue;
      const isSooner =
        next === undefined ||
        timer.dueMs < next.dueMs ||
        (timer.dueMs === next.dueMs && timer.order < next.order);
      if (isSooner) next = timer;
    }
    return next;
  }
}

/** Resolves when all that can happen without time or I/O has happened, even over several turns of the event loop. */
export async function settlePromises(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
}
