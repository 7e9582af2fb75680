import type { Cluster } from '../cluster/cluster.ts';
import type { AppContainer } from './app-requests.ts';
import { CallInterval, type CallOutcome, untilCallsSucceed } from './call-interval.ts';
import { report } from './measured-traffic.ts';

/**
 * What becomes of the requests of callers while something is done, and of so many further ones of each; says so for a
 * person. Starts when no request fails any more.
 */
export async function callsWhile(
  cluster: Cluster,
  { callers, what, further }: { callers: readonly AppContainer[]; what: string; further: number },
  act: () => Promise<void>,
): Promise<CallOutcome> {
  await untilCallsSucceed(cluster, callers);
  const interval = await CallInterval.start(cluster, callers);
  const start = performance.now();
  await act();
  const seconds = (performance.now() - start) / 1000;
  const outcome = await interval.end(further);
  report(what, new Map([['all of it', seconds]]), outcome);
  return outcome;
}
