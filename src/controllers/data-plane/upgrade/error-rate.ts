/** What is to be known of the requests to some namespaces. */
export interface ErrorRateQuestion {
  readonly namespaces: readonly string[];
  /** How far back requests are counted. */
  readonly windowMs: number;
}

/** The part of requests that have failed, from 0 to 1; or why nobody knows. */
export type MeasuredErrorRate = { readonly ratio: number } | { readonly unknown: string };

/** gRPC statuses that are faults of a server: UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const faultyGrpc = '2|4|13|14|15';

/**
 * The question in PromQL, of Istio's standard metric. What the caller's proxy saw and what the callee's saw are two counts
 * of the same requests, and one that never arrived is in the first alone: so the worse of both counts. Without an answer
 * there was no request, or none failed.
 */
export function errorRateQuery({ namespaces, windowMs }: ErrorRateQuestion): string {
  const to = `destination_service_namespace=~"${namespaces.join('|')}"`;
  const rate = (...labels: string[]) =>
    `rate(istio_requests_total{${[to, ...labels].join(',')}}[${Math.ceil(windowMs / 1000)}s])`;
  const failed = `${rate('response_code=~"5.."')} or ${rate(`grpc_response_status=~"${faultyGrpc}"`)}`;
  return `max(sum by (reporter) (${failed}) / sum by (reporter) (${rate()}))`;
}
