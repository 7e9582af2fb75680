import type { PrometheusSample } from '../../observability/prometheus-query.ts';

/** A workload, by the name that Istio's metrics give it. */
export interface WorkloadName {
  readonly namespace: string;
  readonly workload: string;
}

/** Requests, or TCP connections, from one workload to one service of the mesh. */
export interface ObservedCall {
  readonly source: WorkloadName;
  /** Whose service it is; undefined where the metrics do not say. */
  readonly namespace: string | undefined;
  /** The service's name in the mesh, such as `web.shop.svc.cluster.local`. */
  readonly host: string;
  /** About so many in the window. */
  readonly count: number;
}

/** When there were metrics of a workload's proxy, whether it called or was called. */
export interface SeenWorkload extends WorkloadName {
  readonly from: Date;
  readonly to: Date;
}

/** What proxies have told a Prometheus of a window of time. */
export interface ObservedTraffic {
  readonly from: Date;
  readonly to: Date;
  readonly calls: readonly ObservedCall[];
  readonly workloads: readonly SeenWorkload[];
}

/** Questions in PromQL. */
export interface TrafficQueries {
  /** A sample for each pair of caller and service, its value a number of calls; HTTP and gRPC, then TCP. */
  readonly calls: readonly string[];
  /** A sample for each workload as caller and as callee: Unix seconds of its first metric in the window. */
  readonly first: string;
  /** Of its last one. */
  readonly last: string;
}

/** Istio's standard metrics of calls (Istio: Standard Metrics). */
const metrics = ['istio_requests_total', 'istio_tcp_connections_opened_total'];

/** Clusters of Envoy for what is no service that the proxy knows (Istio pilot/pkg/util/constant.go). */
const outsideClusters: ReadonlySet<string> = new Set([
  'PassthroughCluster',
  'BlackHoleCluster',
  'InboundPassthroughCluster',
  'InboundPassthroughClusterIpv4',
  'InboundPassthroughClusterIpv6',
  'unknown',
]);

/** Istio's word for a label without a value. */
const unknownLabel = 'unknown';

/** So fine are the times of the first and the last metric: this part of the window, and no less than a second. */
const stepsOfWindow = 168;

/**
 * What to ask about the last `windowMs`. The caller's side alone is counted: it names the service that was called. A
 * counter that is not older than the window counts whole, since `increase` does not see its first value: a service that
 * was called once would not be there.
 */
export function trafficQueries(windowMs: number): TrafficQueries {
  const window = `${Math.ceil(windowMs / 1000)}s`;
  const step = `${Math.max(1, Math.ceil(windowMs / 1000 / stepsOfWindow))}s`;
  const labels =
    'source_workload, source_workload_namespace, destination_service, destination_service_name, destination_service_namespace';
  const callsOf = (metric: string) => {
    const counter = `${metric}{reporter="source"}`;
    const begun = `(max_over_time(${counter}[${window}]) > 0 unless ${counter} offset ${window})`;
    return `sum by (${labels}) (${begun} or increase(${counter}[${window}]) > 0)`;
  };
  const seenAt = (side: 'source' | 'destination') =>
    `timestamp(sum by (${side}_workload, ${side}_workload_namespace) ({__name__=~"${metrics.join('|')}", reporter="${side}"}))`;
  const seen = `(${seenAt('source')} or ${seenAt('destination')})[${window}:${step}]`;
  return {
    calls: metrics.map(callsOf),
    first: `min_over_time(${seen})`,
    last: `max_over_time(${seen})`,
  };
}

/** The length of a gap that `trafficQueries` cannot tell from none. */
export function trafficResolutionMs(windowMs: number): number {
  return Math.max(1000, windowMs / stepsOfWindow);
}

/** What the answers say; calls of what is no service of the mesh are left out, which no Sidecar has hosts for. */
export function trafficOf(
  answers: {
    readonly calls: readonly PrometheusSample[];
    readonly first: readonly PrometheusSample[];
    readonly last: readonly PrometheusSample[];
  },
  from: Date,
  to: Date,
): ObservedTraffic {
  const calls = sumOfCalls(answers.calls);
  const workloads = new Map(
    seenWorkloads(answers.first, answers.last).map((workload) => [workloadText(workload), workload]),
  );
  // Who has only just called may be between two steps of the window.
  for (const { source } of calls) {
    const key = workloadText(source);
    workloads.set(key, workloads.get(key) ?? { ...source, from: to, to });
  }
  return { from, to, calls, workloads: [...workloads.values()] };
}

/** `namespace/workload`, as key and for texts. */
export function workloadText({ namespace, workload }: WorkloadName): string {
  return `${namespace}/${workload}`;
}

function sumOfCalls(samples: readonly PrometheusSample[]): ObservedCall[] {
  const calls = new Map<string, ObservedCall>();
  for (const { labels, value } of samples) {
    const host = labels.destination_service ?? unknownLabel;
    const name = labels.destination_service_name ?? unknownLabel;
    const source = workloadOf(labels, 'source');
    if (source === undefined || host === unknownLabel || outsideClusters.has(name)) continue;
    const namespace = known(labels.destination_service_namespace);
    const key = `${workloadText(source)} ${namespace ?? ''} ${host}`;
    const before = calls.get(key)?.count ?? 0;
    calls.set(key, { source, namespace, host, count: before + Math.ceil(value) });
  }
  return [...calls.values()].sort((a, b) => b.count - a.count || (a.host < b.host ? -1 : 1));
}

function seenWorkloads(
  first: readonly PrometheusSample[],
  last: readonly PrometheusSample[],
): SeenWorkload[] {
  const seen = new Map<string, SeenWorkload>();
  for (const { labels, value } of [...first, ...last]) {
    const at = new Date(value * 1000);
    for (const side of ['source', 'destination'] as const) {
      const name = workloadOf(labels, side);
      if (name === undefined) continue;
      const { from, to } = seen.get(workloadText(name)) ?? { from: at, to: at };
      seen.set(workloadText(name), { ...name, from: at < from ? at : from, to: at > to ? at : to });
    }
  }
  return [...seen.values()];
}

function workloadOf(
  labels: PrometheusSample['labels'],
  side: 'source' | 'destination',
): WorkloadName | undefined {
  const workload = known(labels[`${side}_workload`]);
  const namespace = known(labels[`${side}_workload_namespace`]);
  return workload === undefined || namespace === undefined ? undefined : { namespace, workload };
}

function known(label: string | undefined): string | undefined {
  return label === undefined || label === '' || label === unknownLabel ? undefined : label;
}
