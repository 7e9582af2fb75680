import { gatewayLabel, type MeshSeries } from './mesh-series.ts';
import { failureRatio, latency, requestRate, type Signal, turnedAwayRatio } from './signals.ts';

/** A rule of a group of Prometheus that records a series under a name. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
}

const window = '5m';

/** Labels of what is recorded, beside those of the mesh. */
export const workloadLabels = ['destination_workload_namespace', 'destination_workload'] as const;
export const serviceLabels = ['destination_service_namespace', 'destination_service_name'] as const;

/** Names of what is recorded (`level:metric:operations`, as Prometheus' own documentation has them). */
export function recordedNames(level: 'workload' | 'gateway') {
  return {
    requests: `${level}:istio_requests:rate5m`,
    failures: `${level}:istio_requests_failed:ratio_rate5m`,
    median: `${level}:istio_request_duration_milliseconds:p50_rate5m`,
    slowest: `${level}:istio_request_duration_milliseconds:p99_rate5m`,
  };
}

/** Requests to a service that limits have turned away. */
export const recordedTurnedAway = 'service:istio_requests_turned_away:ratio_rate5m';

/** The golden signals of workloads and gateways: how much, how much of it fails, how long it takes, and what is full. */
export function recordingRules(series: MeshSeries): readonly RecordingRule[] {
  const { labels } = series;
  const ofLevel = (level: 'workload' | 'gateway', signal: Signal): RecordingRule[] => {
    const { requests, failures, median, slowest } = recordedNames(level);
    return [
      { record: requests, expr: requestRate(signal), labels },
      { record: failures, expr: failureRatio(signal), labels },
      { record: median, expr: latency(0.5, signal), labels },
      { record: slowest, expr: latency(0.99, signal), labels },
    ];
  };
  return [
    ...ofLevel('workload', { of: series.received, by: workloadLabels, window }),
    ...ofLevel('gateway', { of: series.passedOn, by: [gatewayLabel], window }),
    {
      record: recordedTurnedAway,
      expr: turnedAwayRatio({ of: series.sent, by: serviceLabels, window }),
      labels,
    },
  ];
}
