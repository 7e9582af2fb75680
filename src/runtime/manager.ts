import type { Clock } from '../base/clock.ts';
import type { HttpEndpoints } from '../observability/http-endpoints.ts';
import type { Logger } from '../observability/logger.ts';
import type { Controller } from './controller.ts';
import type { Informer } from './informer.ts';
import type { LeaderElection } from './leader-election.ts';

export interface ManagerOptions {
  /** How long a stop may take before the rest is given up; default 20 s, less than a pod's grace period. */
  readonly stopTimeoutMs?: number;
}

export interface ManagerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly informers: readonly Informer[];
  readonly controllers: readonly Controller[];
  /** Absent: this process always leads. */
  readonly leaderElection?: LeaderElection;
  readonly endpoints?: readonly HttpEndpoints[];
  /** What answers others, whether this process leads or not. */
  readonly servers?: readonly ManagedServer[];
}

/** Something that serves others: it has to be started, and may take a while to stop without losing a request. */
export interface ManagedServer {
  start(): Promise<void>;
  /** Calling it again returns the same end. */
  stop(): Promise<void>;
}

const defaultStopTimeoutMs = 20_000;

/**
 * Starts the parts of a process in order and stops them in the reverse one.
 * Endpoints and servers first, so that kubelet and others get answers; then the caches and, beside them, the wait for leadership; the
 * controllers when both are there. A standby keeps warm caches and full queues, so it acts at once when it leads.
 */
export class Manager {
  readonly #stopTimeoutMs: number;
  readonly #deps: ManagerDeps;

  constructor(options: ManagerOptions, deps: ManagerDeps) {
    this.#stopTimeoutMs = options.stopTimeoutMs ?? defaultStopTimeoutMs;
    this.#deps = deps;
  }

  /** Why this process cannot work yet, undefined when it can; for `/readyz`. A standby is ready. */
  readonly checkCaches = (): string | undefined => {
    const waiting = this.#deps.informers.filter((informer) => !informer.hasSynced);
    return waiting.length === 0
      ? undefined
      : `waiting for ${waiting.map(({ kind }) => kind.plural).join(', ')}`;
  };

  /**
   * Runs until `signal` is aborted, then stops: passes are aborted, the lease is given back, watches end, endpoints
   * close. Rejects when something cannot start, and when the stop takes longer than its bound.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { endpoints = [], servers = [], informers, controllers, log, clock } = this.#deps;
    const started: HttpEndpoints[] = [];
    const stopServers = () => Promise.all(servers.map((server) => server.stop()));
    const stopInformers = new AbortController();
    try {
      for (const endpoint of endpoints) {
        await endpoint.start();
        started.push(endpoint);
      }
      for (const server of servers) await server.start();
      // At once, since others are still sent here for a while.
      signal.addEventListener('abort', () => void stopServers(), { once: true });
      const startedAtMs = clock.monotonicMs();
      const caches = informers.map((informer) => informer.run(stopInformers.signal));
      log.info('Started', { informers: informers.length, controllers: controllers.length });
      await this.#bounded(
        signal,
        this.#lead(signal, () => {
          log.info('Controllers run', { afterMs: Math.round(clock.monotonicMs() - startedAtMs) });
        }),
      );
      stopInformers.abort();
      await this.#bounded(signal, Promise.all([...caches, stopServers()]));
      log.info('Stopped');
    } finally {
      stopInformers.abort();
      for (const controller of controllers) controller.stop();
      await Promise.all(started.map((endpoint) => endpoint.stop()));
    }
  }

  async #lead(signal: AbortSignal, onRunning: () => void): Promise<void> {
    const { leaderElection } = this.#deps;
    const work = (leading: AbortSignal) => this.#runControllers(leading, onRunning);
    if (leaderElection === undefined) await work(signal);
    else await leaderElection.run(signal, work);
  }

  async #runControllers(signal: AbortSignal, onRunning: () => void): Promise<void> {
    try {
      await Promise.all(this.#deps.informers.map((informer) => informer.waitForSync(signal)));
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    onRunning();
    await Promise.all(this.#deps.controllers.map((controller) => controller.run(signal)));
  }

  /** Waits for `work`, but after `signal` was aborted no longer than the stop may take. */
  async #bounded(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
    const { clock } = this.#deps;
    const tooLong = Promise.withResolvers<never>();
    let cancelTimer = () => {};
    const onStop = () => {
      cancelTimer = clock.setTimer(this.#stopTimeoutMs, () =>
        tooLong.reject(
          new Error(`The stop took longer than ${this.#stopTimeoutMs / 1000} s; the rest is given up`),
        ),
      );
    };
    if (signal.aborted) onStop();
    else signal.addEventListener('abort', onStop, { once: true });
    try {
      await Promise.race([work, tooLong.promise]);
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', onStop);
    }
  }
}
