import { isDeepStrictEqual } from 'node:util';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type AppContainer, askFrom, type CallReport, callFrom } from './app-requests.ts';
import { flushedLog, jsonLines } from './proxy-log.ts';
import { aTracedRequest, collectedSpans, type Span } from './span-collector.ts';
import { type Amount, boundsOf, callers, type TrafficCheck } from './traffic-example.ts';

/** Deployments that answer to one name, where that is not their own. */
const servers: Readonly<Record<string, readonly string[]>> = {
  web: ['web-v1', 'web-v2'],
};
const countsUrl = 'http://127.0.0.1:8080/counts';

/**
 * Counts what arrives at the servers of a check. Begins when it is called; what it gives says, after the calls, what was not
 * as the check has it.
 */
export async function watchArrivals(
  cluster: Cluster,
  { times, arriveAt = {} }: TrafficCheck,
): Promise<Watched> {
  for (const server of Object.keys(arriveAt)) await countAt(cluster, server, 'reset');
  return async (report) => {
    const flaws: string[] = [];
    for (const [server, amount] of Object.entries(arriveAt)) {
      // Copies are under way when the answers of the originals are there.
      const what = `requests arrive at ${server}`;
      const count = await countUntilEnough({ what, amount, times, report }, () =>
        countAt(cluster, server, 'read'),
      );
      flaws.push(...flawIn(`arrived at ${server}`, count, amount, times));
    }
    return flaws;
  };
}

/** As `watchArrivals`: lines in logs. Every new line that is JSON must be one of the calls. */
export async function watchLogs(cluster: Cluster, { times, logged = {} }: TrafficCheck): Promise<Watched> {
  const newLines = await Promise.all(
    Object.keys(logged).map(async (server) => {
      const apps = (servers[server] ?? [server]).map((name) => appOf(`shop/${name}`));
      const read = async () =>
        (await Promise.all(apps.map((app) => flushedLog(cluster, app)))).map(jsonLines);
      const before = (await read()).map(({ length }) => length);
      return async () => (await read()).flatMap((lines, app) => lines.slice(before[app]));
    }),
  );
  return async (report) => {
    const flaws: string[] = [];
    for (const [index, [server, { lines: amount, fields = {} }]] of Object.entries(logged).entries()) {
      let lines: Record<string, unknown>[] = [];
      await countUntilEnough({ what: `lines of ${server}`, amount, times, report }, async () => {
        lines = (await newLines[index]?.()) ?? [];
        return lines.length;
      });
      const others = lines.filter((line) => !isLine(line, fields));
      flaws.push(
        ...flawIn(`lines of ${server}`, lines.length, amount, times),
        ...(others.length === 0
          ? []
          : [`${others.length} lines of ${server} are like ${JSON.stringify(others[0])}`]),
      );
    }
    return flaws;
  };
}

function isLine(line: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, unknown>>): boolean {
  return (
    isDeepStrictEqual(Object.keys(line).sort(), Object.keys(fields).sort()) &&
    Object.entries(fields).every(([name, value]) => value === '*' || line[name] === value)
  );
}

/** As `watchArrivals`: spans of the caller's proxy, which reports them in the order of the calls. */
export async function watchSpans(cluster: Cluster, check: TrafficCheck): Promise<Watched> {
  const { times, traced: amount, from } = check;
  if (amount === undefined) return async () => [];
  const app = callers[from].split('/').reverse().join('.');
  const read = async () => (await collectedSpans(cluster)).filter(({ service }) => service === app);
  const before = (await read()).length;
  return async (report) => {
    const last = aTracedRequest();
    const isLast = ({ tags }: Span) => tags['guid:x-request-id'] === last.id;
    await callFrom(cluster, appOf(callers[from]), '-count', '1', '-url', check.url, '-header', last.header);
    const explain = async () => JSON.stringify(report);
    const what = `${app} has reported what it was asked last`;
    const spans = await waitUntil({ what, intervalMs: 500, explain }, async () => {
      const spans = (await read()).slice(before);
      return spans.some(isLast) && spans;
    });
    return flawIn(`traced by ${from}`, spans.filter((span) => !isLast(span)).length, amount, times);
  };
}

type Watched = (report: CallReport) => Promise<string[]>;

interface Awaited {
  readonly what: string;
  readonly amount: Amount;
  readonly times: number;
  readonly report: CallReport;
}

/** Counts until there are as many as there must be at least, and returns the last count; what is too many shows there. */
async function countUntilEnough(
  { what, amount, times, report }: Awaited,
  count: () => Promise<number>,
): Promise<number> {
  const { least } = boundsOf(amount, times);
  const explain = async () => JSON.stringify(report);
  let found = 0;
  await waitUntil({ what: `there are ${least} ${what}`, explain }, async () => {
    found = await count();
    return found >= least;
  });
  return found;
}

/** A sentence when a number is none of those that an amount allows of so many calls. */
export function flawIn(what: string, found: number, amount: Amount, times: number): string[] {
  const { least, most } = boundsOf(amount, times);
  return found >= least && found <= most ? [] : [`${what}: ${found}, not ${least} to ${most}`];
}

/** How many requests the pods of a server have answered or are answering, since the last reset. */
async function countAt(cluster: Cluster, server: string, act: 'read' | 'reset'): Promise<number> {
  const counts = (servers[server] ?? [server]).map(async (deployment) => {
    const app = appOf(`shop/${deployment}`);
    if (act === 'reset') await askFrom(cluster, app, `${countsUrl}/reset`, { method: 'POST' });
    const { answered, inFlight } = JSON.parse(await askFrom(cluster, app, countsUrl)) as {
      answered: number;
      inFlight: number;
    };
    return answered + inFlight;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** The app of `NAMESPACE/DEPLOYMENT`. */
export function appOf(path: string): AppContainer {
  const [namespace = '', name = ''] = path.split('/');
  return { namespace, workload: `deployment/${name}` };
}
