import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type AppContainer, askFrom } from './app-requests.ts';

const countsUrl = 'http://127.0.0.1:8081/counts';

/** What became of all requests of an interval. */
export interface CallOutcome {
  /** Requests that got the answer they should, from all callers together. */
  readonly ok: number;
  /** Those that did not, or were due and not sent, by `namespace/workload -> target: kind`; empty when there are none. */
  readonly failures: Readonly<Record<string, number>>;
  /** Of the last failures, when each ended and what was answered. */
  readonly details: readonly string[];
}

/**
 * What callers of the test app (`call -counts-port 8081`) send between a start and an end, without a gap: a request
 * belongs to it when it was under way or begun after the start, and every one that was begun before the end is judged.
 */
export class CallInterval {
  readonly #cluster: Cluster;
  readonly #callers: readonly AppContainer[];

  private constructor(cluster: Cluster, callers: readonly AppContainer[]) {
    this.#cluster = cluster;
    this.#callers = callers;
  }

  static async start(cluster: Cluster, callers: readonly AppContainer[]): Promise<CallInterval> {
    const interval = new CallInterval(cluster, callers);
    const url = `${countsUrl}/reset`;
    await Promise.all(callers.map((caller) => askFrom(cluster, caller, url, { method: 'POST' })));
    return interval;
  }

  /** What has become of the requests so far. */
  async look(): Promise<CallOutcome> {
    return outcomeOf(await this.#read());
  }

  /** Ends when each target of each caller has been asked so many times more. */
  async end(further: number): Promise<CallOutcome> {
    const wanted = new Map(targetsOf(await this.#read()).map(({ name, sent }) => [name, sent + further]));
    const what = `each target is asked ${further} times more`;
    return waitUntil({ what, intervalMs: 250 }, async () => {
      const reports = await this.#read();
      const isAsked = ({ name, ok, failed }: Target) => ok + failed >= (wanted.get(name) ?? 0);
      return targetsOf(reports).every(isAsked) && outcomeOf(reports);
    });
  }

  #read(): Promise<Report[]> {
    return Promise.all(
      this.#callers.map(async (caller) => ({
        caller: `${caller.namespace}/${caller.workload}`,
        ...(JSON.parse(await askFrom(this.#cluster, caller, countsUrl)) as Counts),
      })),
    );
  }
}

/** Waits until no request fails any more, which those of the first seconds of an app may do. */
export async function untilCallsSucceed(cluster: Cluster, callers: readonly AppContainer[]): Promise<void> {
  await waitUntil({ what: 'no request fails any more' }, async () => {
    const { failures } = await (await CallInterval.start(cluster, callers)).end(3);
    if (Object.keys(failures).length > 0) throw new Error(JSON.stringify(failures));
    return true;
  });
}

/** Of the test app's counts (`test/app/call_counts.go`), what is looked at here. */
interface Counts {
  readonly targets: Readonly<Record<string, TargetCounts>>;
  readonly lastFailures: readonly Failure[];
}

interface Failure {
  readonly at: string;
  readonly target: string;
  readonly message: string;
}

interface TargetCounts {
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  readonly failedBy: Readonly<Record<string, number>>;
  readonly notSent: number;
}

interface Report extends Counts {
  readonly caller: string;
}

interface Target extends TargetCounts {
  /** `caller -> URL`. */
  readonly name: string;
}

function targetsOf(reports: readonly Report[]): Target[] {
  return reports.flatMap(({ caller, targets }) =>
    Object.entries(targets).map(([url, counts]) => ({ name: `${caller} -> ${url}`, ...counts })),
  );
}

function outcomeOf(reports: readonly Report[]): CallOutcome {
  const targets = targetsOf(reports);
  const failures = targets.flatMap(({ name, failedBy, notSent }) =>
    Object.entries({ ...failedBy, 'not sent': notSent })
      .filter(([, count]) => count > 0)
      .map(([kind, count]) => [`${name}: ${kind}`, count] as const),
  );
  return {
    ok: targets.reduce((sum, { ok }) => sum + ok, 0),
    failures: Object.fromEntries(failures),
    details: reports.flatMap(({ caller, lastFailures }) =>
      lastFailures.map(({ at, target, message }) => `${at} ${caller} -> ${target}: ${message}`),
    ),
  };
}
