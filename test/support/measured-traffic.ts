import type { Cluster } from '../cluster/cluster.ts';
import { printProgress } from '../cluster/toolchain/progress.ts';
import type { AppContainer } from './app-requests.ts';
import { CallInterval, type CallOutcome, untilCallsSucceed } from './call-interval.ts';
import { type Handshakes, handshakesBetween, readHandshakes } from './proxy-handshakes.ts';
import { trustCallers, trustProxies } from './trust-apps.ts';

/** What became of all requests and TLS handshakes of an interval. */
export interface Traffic extends CallOutcome {
  readonly handshakes: Handshakes;
}

/** The traffic of `trust-apps.ts`, from a start to an end. */
export class MeasuredTraffic {
  readonly #cluster: Cluster;
  readonly #proxies: readonly AppContainer[];
  readonly #before: Handshakes;
  readonly #calls: CallInterval;

  private constructor(
    cluster: Cluster,
    proxies: readonly AppContainer[],
    before: Handshakes,
    calls: CallInterval,
  ) {
    this.#cluster = cluster;
    this.#proxies = proxies;
    this.#before = before;
    this.#calls = calls;
  }

  /** Starts when no request fails any more; without the calls of `but` and the handshakes of its proxy. */
  static async start(cluster: Cluster, but?: AppContainer): Promise<MeasuredTraffic> {
    const isMeant = ({ workload }: AppContainer) => workload !== but?.workload;
    const callers = trustCallers.filter(isMeant);
    const proxies = trustProxies.filter(isMeant);
    await untilCallsSucceed(cluster, callers);
    const before = await readHandshakes(cluster, proxies);
    return new MeasuredTraffic(cluster, proxies, before, await CallInterval.start(cluster, callers));
  }

  /** What has become of the requests so far. */
  look(): Promise<CallOutcome> {
    return this.#calls.look();
  }

  /** Ends when each app was called five times more by each that calls it. */
  async end(): Promise<Traffic> {
    const outcome = await this.#calls.end(5);
    const after = await readHandshakes(this.#cluster, this.#proxies);
    return { ...outcome, handshakes: handshakesBetween(this.#before, after) };
  }
}

/** Says for a person how long something took, what became of the requests meanwhile, and what the last failures were. */
export function report(
  what: string,
  seconds: ReadonlyMap<string, number>,
  { ok, failures, details }: CallOutcome,
): void {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const times = [...seconds].map(([name, took]) => `${name} ${took.toFixed(1)} s`).join(', ');
  printProgress(`${what}: ${times}; ${ok + failed} requests, ${failed} failed`);
  for (const detail of details) printProgress(detail);
}
