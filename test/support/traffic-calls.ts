import type { Cluster } from '../cluster/cluster.ts';
import { type CallReport, callFrom } from './app-requests.ts';
import { callers, type TrafficCheck } from './traffic-example.ts';
import { appOf, flawIn, watchArrivals, watchLogs, watchSpans } from './traffic-witnesses.ts';

/** What of a check did not hold, a sentence each; empty when all did. Makes its calls. */
export async function flawsOf(cluster: Cluster, check: TrafficCheck): Promise<string[]> {
  const { times, ends, answeredBy = {} } = check;
  const [arrivals, lines, spans] = [
    await watchArrivals(cluster, check),
    await watchLogs(cluster, check),
    await watchSpans(cluster, check),
  ];
  const report = await callAsSaid(cluster, check);
  const found = endsIn(report);
  return [
    ...Object.keys(found)
      .filter((end) => ends[end] === undefined)
      .map((end) => `${end}: ${found[end]}, not 0 (${report.lastFailures[0]?.message})`),
    ...Object.entries(ends).flatMap(([end, amount]) => flawIn(end, found[end] ?? 0, amount, times)),
    ...Object.entries(answeredBy).flatMap(([app, amount]) =>
      flawIn(`answered by ${app}`, report.total.answeredBy[app] ?? 0, amount, times),
    ),
    ...(await arrivals(report)),
    ...(await lines(report)),
    ...(await spans(report)),
  ];
}

function callAsSaid(cluster: Cluster, check: TrafficCheck): Promise<CallReport> {
  const { from, url, times, method = 'GET', headers = [], through, atOnce = false, patience = 90 } = check;
  const flags = [
    ...['-url', url, '-count', String(times), '-method', method],
    ...['-rate', atOnce ? '10000' : '50', '-timeout', `${patience}s`],
    ...headers.flatMap((header) => ['-header', header]),
    ...(through === undefined ? [] : ['-connect-to', through]),
    ...(check.certificates === undefined ? [] : ['-ca', '/certificates/ca.crt']),
    ...(check.certificates === 'own'
      ? ['-cert', '/certificates/tls.crt', '-key', '/certificates/tls.key']
      : []),
  ];
  return callFrom(cluster, appOf(callers[from]), ...flags);
}

/** Outcomes by the words of the guide. */
function endsIn({ total }: CallReport): Record<string, number> {
  const ends: Record<string, number> = {};
  const add = (end: string, count: number) => {
    if (count > 0) ends[end] = (ends[end] ?? 0) + count;
  };
  add('ok', total.ok);
  add('not sent', total.notSent);
  for (const [kind, count] of Object.entries(total.failedBy)) {
    add(/^(reset|closed)$/.test(kind) ? 'cut' : kind.replace(/^status-/, ''), count);
  }
  return ends;
}
