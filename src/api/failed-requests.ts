/** gRPC statuses that are faults of a server: UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const faultyGrpc = '2|4|13|14|15';

/** Label matchers of `istio_requests_total` in PromQL, of which a failed request meets at least one. */
export const failedRequestMatchers = [
  'response_code=~"5.."',
  `grpc_response_status=~"${faultyGrpc}"`,
] as const;
