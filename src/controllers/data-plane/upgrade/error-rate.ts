import { failedRequestMatchers } from '../../../api/failed-requests.ts';

/** What is to be known of the requests to some namespaces. */
export interface ErrorRateQuestion {
  readonly namespaces: readonly string[];
  /** How far back requests are counted. */
  readonly windowMs: number;
}

/** The part of requests that have failed, from 0 to 1; or why nobody knows. */
export type MeasuredErrorRate = { readonly ratio: number } | { readonly unknown: string };

/**
 * The question in PromQL, of Istio's standard metric. What the caller's proxy saw and what the callee's saw are two counts
 * of the same requests, and one that never arrived is in the first alone: so the worse of both counts. Without an answer
 * there was no request, or none failed.
 */
export function errorRateQuery({ namespaces, windowMs }: ErrorRateQuestion): string {
  const to = `destination_service_namespace=~"${namespaces.join('|')}"`;
  const rate = (...labels: string[]) =>
    `rate(istio_requests_total{${[to, ...labels].join(',')}}[${Math.ceil(windowMs / 1000)}s])`;
  const failed = failedRequestMatchers.map((matcher) => rate(matcher)).join(' or ');
  return `max(sum by (reporter) (${failed}) / sum by (reporter) (${rate()}))`;
}
