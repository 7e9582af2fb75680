import { onTestFinished } from 'vitest';
import type { Cluster } from '../cluster/cluster.ts';

/** How long an outage is held: `OUTAGE_HOLD_SECONDS`, default 5. The length of the fault, no wait for anything. */
const holdMs = secondsOf(process.env.OUTAGE_HOLD_SECONDS ?? '5') * 1000;

/** In the order in which they go, and come back. */
const servers = ['kube-apiserver', 'kube-controller-manager'];

/**
 * Outages of the API server of a cluster in one test, at the end of which it is back in any case. The controller manager
 * is away with it: elsewhere it ends when it cannot renew its Lease, and here it has none; one that stays takes the
 * silence for that of the nodes, and takes pods that run out of all endpoints.
 */
export class ApiServerOutage {
  readonly #cluster: Cluster;
  #isAway = false;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    onTestFinished(() => this.end());
  }

  /** Takes it away by SIGKILL, which no connection of it outlives. */
  async begin(): Promise<void> {
    this.#isAway = true;
    for (const server of servers) await this.#cluster.stopServer(server);
  }

  /** Leaves it away for as long as an outage is held, from now on. */
  async hold(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, holdMs));
  }

  /** Returns when it is back and ready. */
  async end(): Promise<void> {
    if (!this.#isAway) return;
    for (const server of servers) await this.#cluster.startServer(server);
    this.#isAway = false;
  }
}

/** The bound of a test that holds outages so many times. */
export function outagesTimeoutMs(holds: number): number {
  return 10 * 60_000 + holds * holdMs;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds < 0) {
    throw new Error(`OUTAGE_HOLD_SECONDS is ${JSON.stringify(text)}: give a number of seconds, such as 180`);
  }
  return seconds;
}
