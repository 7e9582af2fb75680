import { failedRequestMatchers } from '../../api/failed-requests.ts';

/** Of which requests, how far back, and for each of what. */
export interface Signal {
  /** Label matchers in PromQL, joined by commas. */
  readonly of: string;
  /** A duration in PromQL. */
  readonly window: string;
  /** Labels that tell the results apart. */
  readonly by: readonly string[];
}

/** The golden signals of requests, in PromQL: Istio's standard metrics (istio.io, "Istio Standard Metrics"). */

/** Requests in a second. */
export function requestRate({ of, window, by }: Signal): string {
  return `sum by (${by.join(', ')}) (rate(istio_requests_total{${of}}[${window}]))`;
}

/** The part of requests that fail, from 0 to 1, by a 5xx status or a gRPC status that means a fault of the server. */
export function failureRatio(signal: Signal): string {
  const { of, window, by } = signal;
  const failed = failedRequestMatchers.map(
    (matcher) => `rate(istio_requests_total{${of}, ${matcher}}[${window}])`,
  );
  return ratio(`sum by (${by.join(', ')}) (${failed.join(' or ')})`, requestRate(signal));
}

/** Milliseconds that a fraction of requests, from 0 to 1, does not take longer than. */
export function latency(fraction: number, { of, window, by }: Signal): string {
  const buckets = `rate(istio_request_duration_milliseconds_bucket{${of}}[${window}])`;
  return `histogram_quantile(${fraction}, sum by (${[...by, 'le'].join(', ')}) (${buckets}))`;
}

/**
 * Envoy's flags of requests that a limit has turned away: full pools and queues (UO), rate limits (RL), too little memory
 * left (OM).
 */
const turnedAway = 'response_flags=~"(.*,)?(UO|RL|OM)(,.*)?"';

/** The part of requests that callers' proxies turn away, from 0 to 1, because a limit is reached: saturation. */
export function turnedAwayRatio(signal: Signal): string {
  return ratio(requestRate({ ...signal, of: `${signal.of}, ${turnedAway}` }), requestRate(signal));
}

/** Zero, where there is none of a part. */
function ratio(part: string, whole: string): string {
  return `(${part} or ${whole} * 0) / ${whole}`;
}

/** How much all of some counters grow in a second, together: 0 while there is none. */
export function growth(counters: readonly string[], window: string): string {
  return counters.map((counter) => `(sum(rate(${counter}[${window}])) or vector(0))`).join(' + ');
}

/** The counters that have grown in a time, those among them that were not there before it: a first count is no growth to Prometheus. */
export function hasGrown(counter: string, window: string): string {
  return `increase(${counter}[${window}]) > 0 or (${counter} unless ${counter} offset ${window})`;
}
