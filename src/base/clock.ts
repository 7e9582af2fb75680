/** Cancels a timer; calling it after the timer fired does nothing. */
export type CancelTimer = () => void;

/**
 * The only source of time: everything that asks what time it is, or waits, takes a Clock.
 * Tests pass a fake one and step it.
 */
export interface Clock {
  /** The instant now, UTC. */
  now(): Date;
  /** Milliseconds of a monotonic clock: for durations only, never for instants. */
  monotonicMs(): number;
  /** Calls `callback` once after `delayMs`; it does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): CancelTimer;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** The machine's clock for a command that waits: its timers keep the process alive. */
export const commandClock: Clock = {
  ...systemClock,
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`; rejects with the signal's reason as soon as `signal` is aborted. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.setTimer(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Resolves after the event loop has had its turn: I/O, timers, health checks. For loops whose steps may all be done
 * without waiting for anything.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
