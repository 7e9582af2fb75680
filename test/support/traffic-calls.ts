import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type AppContainer, askFrom, execIn } from './app-requests.ts';
import { boundsOf, callers, type TrafficCheck } from './traffic-example.ts';

/** Deployments that answer to one name, where that is not their own. */
const servers: Readonly<Record<string, readonly string[]>> = {
  web: ['web-v1', 'web-v2'],
};
const countsUrl = 'http://127.0.0.1:8080/counts';

/** What of a check did not hold, a sentence each; empty when all did. Makes its calls. */
export async function flawsOf(cluster: Cluster, check: TrafficCheck): Promise<string[]> {
  const { times, ends, answeredBy = {}, arriveAt = {} } = check;
  const arrivals = new Map<string, number>();
  for (const server of Object.keys(arriveAt)) await countAt(cluster, server, 'reset');
  const report = await callAsSaid(cluster, check);
  for (const [server, amount] of Object.entries(arriveAt)) {
    const { least } = boundsOf(amount, times);
    // Copies are under way when the answers of the originals are there; what is too few then shows below.
    const explain = async () => JSON.stringify(report);
    await waitUntil({ what: `${least} requests arrive at ${server}`, limitMs: 30_000, explain }, async () => {
      arrivals.set(server, await countAt(cluster, server, 'read'));
      return (arrivals.get(server) ?? 0) >= least;
    });
  }
  const wrong = (what: string, amount: (typeof ends)[string], found: number) => {
    const { least, most } = boundsOf(amount, times);
    return found >= least && found <= most ? [] : [`${what}: ${found}, not ${least} to ${most}`];
  };
  const found = endsIn(report);
  return [
    ...Object.keys(found)
      .filter((end) => ends[end] === undefined)
      .map((end) => `${end}: ${found[end]}, not 0 (${report.lastFailures[0]?.message})`),
    ...Object.entries(ends).flatMap(([end, amount]) => wrong(end, amount, found[end] ?? 0)),
    ...Object.entries(answeredBy).flatMap(([app, amount]) =>
      wrong(`answered by ${app}`, amount, report.total.answeredBy[app] ?? 0),
    ),
    ...Object.entries(arriveAt).flatMap(([app, amount]) =>
      wrong(`arrived at ${app}`, amount, arrivals.get(app) ?? 0),
    ),
  ];
}

/** Of the test app's counts (`test/app/call_counts.go`), what is looked at here. */
interface CallReport {
  readonly total: {
    readonly ok: number;
    readonly notSent: number;
    readonly failedBy: Readonly<Record<string, number>>;
    readonly answeredBy: Readonly<Record<string, number>>;
  };
  readonly lastFailures: readonly { readonly message: string }[];
}

async function callAsSaid(cluster: Cluster, check: TrafficCheck): Promise<CallReport> {
  const { from, url, times, method = 'GET', headers = [], through, atOnce = false, patience = 90 } = check;
  const command = [
    ...['call', '-allow-failures', '-url', url, '-count', String(times), '-method', method],
    ...['-rate', atOnce ? '10000' : '50', '-timeout', `${patience}s`],
    ...headers.flatMap((header) => ['-header', header]),
    ...(through === undefined ? [] : ['-connect-to', through]),
    ...(check.certificates === undefined ? [] : ['-ca', '/certificates/ca.crt']),
    ...(check.certificates === 'own'
      ? ['-cert', '/certificates/tls.crt', '-key', '/certificates/tls.key']
      : []),
  ];
  return JSON.parse(await execIn(cluster, appOf(callers[from]), '/test-app', ...command)) as CallReport;
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

function appOf(path: string): AppContainer {
  const [namespace = '', name = ''] = path.split('/');
  return { namespace, workload: `deployment/${name}` };
}
