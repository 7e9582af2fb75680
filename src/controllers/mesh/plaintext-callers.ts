import type { PrometheusSample } from '../../observability/prometheus-query.ts';

/** What is to be known of calls in plaintext. */
export interface PlaintextQuestion {
  /** Namespaces of those who are called; absent: of everybody. */
  readonly namespaces?: readonly string[];
  /** How far back calls count. */
  readonly windowMs: number;
}

/** Who has called whom in plaintext. */
export interface PlaintextCaller {
  /** Absent: the caller has no proxy, so nobody knows. */
  readonly from?: { readonly namespace: string; readonly workload: string };
  readonly to: { readonly namespace: string; readonly workload: string };
  /** Requests and connections in the window; Prometheus estimates it from what it has scraped. */
  readonly count: number;
}

/** Who has called in plaintext; or why nobody knows, as the end of a sentence. */
export type KnownCallers = { readonly callers: readonly PlaintextCaller[] } | { readonly unknown: string };

/** As the called one's proxy counts them. */
const received = 'reporter="destination"';
/** Istio's standard metrics: requests, and of protocols that have none, connections. */
const metrics: readonly string[] = ['istio_requests_total', 'istio_tcp_connections_opened_total'];
/** By sidecars and waypoints, and by ztunnel, which knows no other word for it (ztunnel src/proxy/metrics.rs). */
const plaintext = 'connection_security_policy=~"none|unknown"';
/** What they say of a caller that they know nothing of. */
const unknownWorkload = 'unknown';

const labels = {
  fromNamespace: 'source_workload_namespace',
  fromWorkload: 'source_workload',
  toNamespace: 'destination_workload_namespace',
  toWorkload: 'destination_workload',
};

/** Prometheus takes a sample for current for as long (`--query.lookback-delta`), so it scrapes no target more rarely. */
const lookbackMs = 5 * 60_000;

/** The label by which the parts of an answer are told apart. */
const part = 'answer';

/**
 * The question in PromQL; the answer is for `readCallers`. It is one, since answers of two moments do not go together. The
 * called one's proxy alone knows how a connection came in.
 */
export function plaintextQuery({ namespaces, windowMs }: PlaintextQuestion): string {
  const window = secondsText(windowMs);
  const before = secondsText(Math.max(windowMs, lookbackMs));
  const to = namespaces === undefined ? [] : [`${labels.toNamespace}=~"${namespaces.join('|')}"`];
  const counted = [`__name__=~"${metrics.join('|')}"`, received];
  const called = `{${[...counted, ...to].join(',')}}`;
  const parts = {
    any: `count({${counted.join(',')}})`,
    unseen: `count(${called} unless last_over_time(${called}[${window}]))`,
    ...Object.fromEntries(
      metrics.map((metric) => {
        const counter = `${metric}{${[received, plaintext, ...to].join(',')}}`;
        return [metric, callsOf(counter, window, before)];
      }),
    ),
  };
  return Object.entries(parts)
    .map(([name, query]) => `label_replace(${query}, "${part}", "${name}", "", "")`)
    .join(' or ');
}

/** What a counter has counted in the window, by who called whom; nothing where it has counted none. */
function callsOf(counter: string, window: string, before: string): string {
  const now = `last_over_time(${counter}[${window}])`;
  const then = `last_over_time(${counter}[${before}] offset ${window})`;
  // Each is without zeros, since `or` asks the next one for those series alone that the one before has not.
  const begun = `(${now} unless (${now} >= ${then})) > 0`;
  const grown = `(${now} - ${then}) > 0`;
  const begunAndGrown = `increase(${counter}[${window}]) > 0`;
  return `sum by (${Object.values(labels).join(', ')}) ((${begun}) or (${grown}) or (${begunAndGrown}))`;
}

function secondsText(ms: number): string {
  return `${Math.ceil(ms / 1000)}s`;
}

/**
 * What the answer to `plaintextQuery` tells, the busiest caller first. A Prometheus that knows of no call at all would know
 * of none in plaintext either, and one that has not scraped somebody for a whole window does not know who called meanwhile.
 */
export function readCallers(samples: readonly PrometheusSample[]): KnownCallers {
  const has = (name: string) => samples.some((sample) => sample.labels[part] === name);
  if (!has('any')) return { unknown: 'knows of no call to any proxy: see that it scrapes them' };
  if (has('unseen')) {
    const unknown =
      'has scraped some of the called proxies before the window alone: set a longer migration.window';
    return { unknown };
  }
  const callers = new Map<string, PlaintextCaller>();
  for (const { labels: found, value } of samples) {
    if (!metrics.includes(found[part] ?? '')) continue;
    const of = (label: string) => found[label] || unknownWorkload;
    const from = { namespace: of(labels.fromNamespace), workload: of(labels.fromWorkload) };
    const to = { namespace: of(labels.toNamespace), workload: of(labels.toWorkload) };
    const key = JSON.stringify([from, to]);
    const count = (callers.get(key)?.count ?? 0) + Math.max(1, Math.round(value));
    const isKnown = from.workload !== unknownWorkload;
    callers.set(key, { ...(isKnown ? { from } : {}), to, count });
  }
  return { callers: [...callers.values()].sort((a, b) => b.count - a.count) };
}
