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

/** Istio's standard metrics: requests, and of protocols that have none, connections. */
const metrics = ['istio_requests_total', 'istio_tcp_connections_opened_total'];
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

/**
 * The questions in PromQL, one of each metric; all answers together are of `readCallers`. The called one's proxy alone
 * knows how a connection came in. A counter that is new in the window has counted calls in it, though it has not been
 * seen to grow.
 */
export function plaintextQueries({ namespaces, windowMs }: PlaintextQuestion): string[] {
  const window = `${Math.ceil(windowMs / 1000)}s`;
  const to = namespaces === undefined ? [] : [`${labels.toNamespace}=~"${namespaces.join('|')}"`];
  const matchers = ['reporter="destination"', plaintext, ...to].join(',');
  return metrics.map((metric) => {
    const counters = `${metric}{${matchers}}`;
    const begun = `last_over_time(${counters}[${window}]) unless last_over_time(${counters}[${window}] offset ${window})`;
    const calls = `(${begun}) or increase(${counters}[${window}])`;
    return `sum by (${Object.values(labels).join(', ')}) (${calls}) > 0`;
  });
}

/** How many series of calls there are, of whatever security: none where the proxies are not scraped. */
export const anyCallsQuery = `count({__name__=~"${metrics.join('|')}",reporter="destination"})`;

/** The callers in the answers to `plaintextQueries`, the busiest first. */
export function readCallers(samples: readonly PrometheusSample[]): PlaintextCaller[] {
  const callers = new Map<string, PlaintextCaller>();
  for (const { labels: found, value } of samples) {
    const of = (label: string) => found[label] || unknownWorkload;
    const from = { namespace: of(labels.fromNamespace), workload: of(labels.fromWorkload) };
    const to = { namespace: of(labels.toNamespace), workload: of(labels.toWorkload) };
    const key = JSON.stringify([from, to]);
    const count = (callers.get(key)?.count ?? 0) + Math.max(1, Math.round(value));
    const isKnown = from.workload !== unknownWorkload;
    callers.set(key, { ...(isKnown ? { from } : {}), to, count });
  }
  return [...callers.values()].sort((a, b) => b.count - a.count);
}
