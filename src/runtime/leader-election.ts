import { kindInfo } from '../api/kinds.ts';
import { idText, type KubernetesObject, type ObjectId } from '../api/kubernetes-object.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { ConflictError, NotFoundError, TransientError } from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../observability/logger.ts';
import type { RandomSource } from './back-off.ts';

export interface LeaderElectionOptions {
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Unique among the replicas, such as the pod's name with a random part. */
  readonly identity: string;
  /** How long others wait for a leader that gives no sign; default 15 s (as client-go, like the next two). */
  readonly leaseDurationMs?: number;
  /** How long the leader tries to renew before it gives up; default 10 s, less than the lease's duration. */
  readonly renewDeadlineMs?: number;
  /** Between two renewals, and between two tries to become leader after a failure; default 2 s. */
  readonly retryPeriodMs?: number;
}

export interface LeaderElectionDeps {
  /** A client of its own, so that no queue of other requests delays a renewal. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomSource;
  /** Called when leadership begins and when it has ended. */
  readonly onChange?: (isLeading: boolean) => void;
}

/** What a Lease says, as far as the election looks at it. */
interface LeaseRecord {
  /** Empty when released. */
  readonly holder: string;
  readonly durationMs: number;
  readonly transitions: number;
  readonly acquireTime: string | undefined;
  readonly renewTime: string | undefined;
  readonly resourceVersion: string;
}

const leaseKind = kindInfo('coordination.k8s.io/v1', 'Lease');

/**
 * Lets one of several replicas lead, by a Lease.
 * No instants of other machines are compared: a lease counts as expired when this process has seen it unchanged for
 * its whole duration. A leader that stops releases the lease once its work has ended, and a standby, which watches
 * the lease, takes over at once.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #deps: LeaderElectionDeps;
  readonly #id: ObjectId;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  #seen: LeaseRecord | undefined;
  #seenAtMs = 0;
  #isLeading = false;

  constructor(options: LeaderElectionOptions, deps: LeaderElectionDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#id = { apiVersion: leaseKind.apiVersion, kind: leaseKind.kind, ...options.lease };
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  /**
   * Waits for leadership, then runs `lead`, whose signal is aborted when leadership is lost or `signal` is aborted;
   * after a loss it waits for leadership again. Resolves when `signal` is aborted and `lead` has ended; by then the
   * lease is released. `lead` must end soon after its signal is aborted.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await this.#acquire(signal);
      if (this.#isLeading) await this.#leadUntilLost(signal, lead);
    }
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#observe(signal);
        if (this.#isFree()) {
          await this.#bounded(this.#renewDeadlineMs, (bound) => this.#write(bound, this.#options.identity));
          this.#isLeading = true;
          this.#deps.log.info('Became leader', { lease: idText(this.#id) });
          return;
        }
        await this.#waitForChange(signal);
      } catch (error) {
        if (signal.aborted) return;
        // Another replica was faster, or the API server is away: look again after a while.
        const log = error instanceof ConflictError ? this.#deps.log.debug : this.#deps.log.warn;
        log('Cannot take the lease', { lease: idText(this.#id), error });
        await this.#pause(signal);
      }
    }
  }

  async #leadUntilLost(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const work = new AbortController();
    const renewing = new AbortController();
    const onStop = () => work.abort(signal.reason);
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) onStop();
    const renewal = this.#renewUntilLost(renewing.signal).then((isLost) => {
      if (isLost) work.abort(new Error('leadership lost'));
    });
    this.#deps.onChange?.(true);
    try {
      // Renewed until the work has ended: nobody else may begin before that.
      await lead(work.signal);
    } finally {
      renewing.abort();
      await renewal;
      signal.removeEventListener('abort', onStop);
      await this.#release();
      this.#deps.onChange?.(false);
    }
  }

  /**
   * Resolves with true when the lease is lost, with false when `signal` is aborted. A renewal under way is not
   * aborted: it may have reached the API server, and then the release would meet a version it does not know.
   */
  async #renewUntilLost(signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#deps;
    let renewedAtMs = clock.monotonicMs();
    while (!signal.aborted) {
      await sleep(clock, this.#retryPeriodMs, signal).catch(() => undefined);
      if (signal.aborted) return false;
      const startedAtMs = clock.monotonicMs();
      try {
        if (!(await this.#renew(renewedAtMs + this.#renewDeadlineMs))) return true;
        renewedAtMs = startedAtMs;
      } catch (error) {
        const leftMs = renewedAtMs + this.#renewDeadlineMs - clock.monotonicMs();
        const isLost = leftMs <= 0;
        log.warn('Cannot renew the lease', { lease: idText(this.#id), isLost, leftMs, error });
        if (!isLost) continue;
        this.#isLeading = false;
        return true;
      }
    }
    return false;
  }

  /**
   * True when renewed, false when another holds the lease. Writes without a read while nobody interferes; after a
   * conflict, or when the lease is gone, looks who holds it now.
   */
  async #renew(deadlineMs: number): Promise<boolean> {
    const leftMs = deadlineMs - this.#deps.clock.monotonicMs();
    const timeoutMs = Math.max(0, Math.min(this.#renewDeadlineMs / 2, leftMs));
    return this.#bounded(timeoutMs, async (signal) => {
      try {
        await this.#write(signal, this.#options.identity);
        return true;
      } catch (error) {
        if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
      }
      if (!(await this.#stillHolds(signal))) return false;
      await this.#write(signal, this.#options.identity);
      return true;
    });
  }

  async #stillHolds(signal: AbortSignal): Promise<boolean> {
    await this.#observe(signal);
    this.#isLeading = this.#seen?.holder === this.#options.identity;
    if (!this.#isLeading) {
      this.#deps.log.warn('Lost the lease', { lease: idText(this.#id), holder: this.#seen?.holder });
    }
    return this.#isLeading;
  }

  /** Leaves the lease without a holder, if it is still ours; the next leader need not wait. */
  async #release(): Promise<void> {
    if (!this.#isLeading) return;
    try {
      await this.#bounded(this.#retryPeriodMs, async (signal) => {
        try {
          await this.#write(signal, '');
        } catch (error) {
          if (!(error instanceof ConflictError) || !(await this.#stillHolds(signal))) throw error;
          await this.#write(signal, '');
        }
      });
      this.#deps.log.info('Released the lease', { lease: idText(this.#id) });
    } catch (error) {
      // Nothing is lost but time: the lease expires by itself.
      this.#deps.log.warn('Cannot release the lease', { lease: idText(this.#id), error });
    } finally {
      this.#isLeading = false;
    }
  }

  /** Reads the lease and notes when it was first seen so. */
  async #observe(signal: AbortSignal): Promise<void> {
    const object = await this.#deps.client.find(this.#id, signal);
    this.#note(object === undefined ? undefined : recordOf(object));
  }

  #note(record: LeaseRecord | undefined): void {
    if (record?.resourceVersion !== this.#seen?.resourceVersion) {
      this.#seenAtMs = this.#deps.clock.monotonicMs();
    }
    this.#seen = record;
  }

  #isFree(): boolean {
    const seen = this.#seen;
    if (seen === undefined || seen.holder === '' || seen.holder === this.#options.identity) return true;
    return this.#deps.clock.monotonicMs() - this.#seenAtMs >= seen.durationMs;
  }

  /** Returns as soon as the lease may be free: it was released, deleted, or not renewed for its duration. */
  async #waitForChange(signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    const onStop = () => waiting.abort(signal.reason);
    signal.addEventListener('abort', onStop, { once: true });
    let cancelTimer = () => {};
    const setExpiry = () => {
      cancelTimer();
      const leftMs = this.#seenAtMs + (this.#seen?.durationMs ?? 0) - this.#deps.clock.monotonicMs();
      cancelTimer = this.#deps.clock.setTimer(Math.max(0, leftMs), () => waiting.abort());
    };
    setExpiry();
    try {
      const events = this.#deps.client.watch(
        leaseKind,
        {
          namespace: this.#id.namespace,
          fieldSelector: `metadata.name=${this.#id.name}`,
          resourceVersion: this.#seen?.resourceVersion ?? '',
          timeoutSeconds: 300,
        },
        waiting.signal,
      );
      for await (const { type, object } of events) {
        if (type === 'BOOKMARK') continue;
        this.#note(type === 'DELETED' ? undefined : recordOf(object));
        if (this.#isFree()) return;
        setExpiry();
      }
    } catch (error) {
      // The timer ended the watch because the lease has expired.
      if (!waiting.signal.aborted || signal.aborted) throw error;
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', onStop);
    }
  }

  /** Takes, renews or (with an empty holder) releases the lease; ConflictError when it changed since it was seen. */
  async #write(signal: AbortSignal, holder: string): Promise<void> {
    const { client, clock } = this.#deps;
    const seen = this.#seen;
    const now = microTime(clock.now());
    const isRenewal = seen !== undefined && (holder === '' || seen.holder === holder);
    const spec = {
      holderIdentity: holder,
      // As client-go: a released lease is free after a second even for one who misses the empty holder.
      leaseDurationSeconds: holder === '' ? 1 : Math.ceil(this.#leaseDurationMs / 1000),
      acquireTime: isRenewal ? (seen.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: isRenewal ? seen.transitions : (seen?.transitions ?? -1) + 1,
    };
    const options = { fieldManager: 'mesh-operator-leader-election' };
    const object =
      seen === undefined
        ? await client.create(
            { apiVersion: leaseKind.apiVersion, kind: leaseKind.kind, metadata: this.#options.lease, spec },
            options,
            signal,
          )
        : await client.patch(
            this.#id,
            { type: 'merge', merge: { metadata: { resourceVersion: seen.resourceVersion }, spec } },
            options,
            signal,
          );
    this.#note(recordOf(object));
  }

  /** Runs requests that only time may end: what has been written must be known. */
  async #bounded<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const bound = new AbortController();
    const cancelTimer = this.#deps.clock.setTimer(timeoutMs, () =>
      bound.abort(
        new TransientError(`The API server did not answer within ${timeoutMs / 1000} s`, {
          reason: 'ApiServerTimeout',
        }),
      ),
    );
    try {
      return await work(bound.signal);
    } finally {
      cancelTimer();
    }
  }

  /** Up to 20 % longer at random, so that replicas do not always meet. */
  async #pause(signal: AbortSignal): Promise<void> {
    const pauseMs = this.#retryPeriodMs * (1 + 0.2 * this.#deps.random());
    await sleep(this.#deps.clock, pauseMs, signal).catch(() => undefined);
  }
}

function recordOf(lease: KubernetesObject): LeaseRecord {
  const spec = isRecord(lease.spec) ? lease.spec : {};
  return {
    holder: typeof spec.holderIdentity === 'string' ? spec.holderIdentity : '',
    durationMs: Number(spec.leaseDurationSeconds ?? 0) * 1000,
    transitions: Number(spec.leaseTransitions ?? 0),
    acquireTime: typeof spec.acquireTime === 'string' ? spec.acquireTime : undefined,
    renewTime: typeof spec.renewTime === 'string' ? spec.renewTime : undefined,
    resourceVersion: lease.metadata.resourceVersion ?? '',
  };
}

/** Kubernetes' MicroTime: exactly six digits after the second. */
function microTime(instant: Date): string {
  return instant.toISOString().replace('Z', '000Z');
}
