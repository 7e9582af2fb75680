import { gatewayLabel, type MeshSeries } from '../mesh-series.ts';
import { failureRatio, latency, requestRate, type Signal, turnedAwayRatio } from '../signals.ts';
import { type Dashboard, linePanel, type Panel, panelWindow as window } from './dashboard.ts';

/** The golden signals of workloads that somebody chooses, and of gateways. */
export function workloadsDashboard(series: MeshSeries): Dashboard {
  const chosen = 'destination_workload_namespace=~"$namespace", destination_workload=~"$workload"';
  const received = { of: `${series.received}, ${chosen}`, window, by: ['destination_workload'] };
  const passedOn = { of: `${series.passedOn}, gateway=~"$gateway"`, window, by: [gatewayLabel] };
  const ofServices = {
    of: `${series.sent}, destination_service_namespace=~"$namespace"`,
    window,
    by: ['destination_service_name'],
  };
  const workload = '{{destination_workload}}';
  const gateway = `{{${gatewayLabel}}}`;
  return {
    slug: 'workloads',
    title: 'Workloads',
    variables: [
      {
        ...{ name: 'namespace', label: 'Namespace', values: 'destination_workload_namespace' },
        of: `istio_requests_total{${series.received}}`,
      },
      {
        ...{ name: 'workload', label: 'Workload', values: 'destination_workload' },
        of: `istio_requests_total{${series.received}, destination_workload_namespace=~"$namespace"}`,
      },
      {
        ...{ name: 'gateway', label: 'Gateway', values: gatewayLabel },
        of: `istio_requests_total{${series.passedOn}}`,
      },
    ],
    rows: [
      {
        title: 'Workloads: rate and errors',
        columns: 3,
        panels: [
          linePanel('Requests', 'reqps', requestRate(received), workload),
          linePanel('Failed', 'percentunit', failureRatio(received), workload),
          linePanel(
            'Requests by status',
            'reqps',
            requestRate({ ...received, by: ['response_code', 'grpc_response_status'] }),
            '{{response_code}} {{grpc_response_status}}',
          ),
          linePanel(
            'Requests by caller',
            'reqps',
            requestRate({ ...received, by: ['source_workload_namespace', 'source_workload'] }),
            '{{source_workload_namespace}}/{{source_workload}}',
          ),
          linePanel(
            'Failures by what proxies say of them',
            'reqps',
            requestRate({
              ...received,
              of: `${series.sent}, ${chosen}, response_flags!="-"`,
              by: ['response_flags'],
            }),
            '{{response_flags}}',
            'Flags of Envoy, as callers see it: UF no connection, UH nobody healthy, UO a full pool, URX retried in vain, DC the caller went away.',
          ),
          linePanel(
            'Requests by encryption',
            'reqps',
            requestRate({ ...received, by: ['connection_security_policy'] }),
            '{{connection_security_policy}}',
          ),
        ],
      },
      {
        title: 'Workloads: latency and saturation',
        columns: 3,
        panels: [
          ...latencyPanels(received, workload),
          linePanel(
            'Turned away by limits',
            'percentunit',
            turnedAwayRatio(ofServices),
            '{{destination_service_name}}',
            'Full connection pools, rate limits, and proxies short of memory, for each service of the namespace.',
          ),
          linePanel(
            'Received over TCP',
            'Bps',
            `sum by (destination_workload) (rate(istio_tcp_received_bytes_total{${received.of}}[${window}]))`,
            workload,
          ),
          linePanel(
            'Connections opened',
            'ops',
            `sum by (destination_workload) (rate(istio_tcp_connections_opened_total{${received.of}}[${window}]))`,
            workload,
          ),
        ],
      },
      {
        title: 'Gateways',
        columns: 3,
        panels: [
          linePanel('Requests', 'reqps', requestRate(passedOn), gateway),
          linePanel('Failed', 'percentunit', failureRatio(passedOn), gateway),
          linePanel(
            'Requests by status',
            'reqps',
            requestRate({ ...passedOn, by: ['response_code'] }),
            '{{response_code}}',
          ),
          ...latencyPanels(passedOn, gateway),
          ...saturationPanels(series, gateway),
        ],
      },
    ],
  };
}

function latencyPanels(signal: Signal, legend: string): Panel[] {
  return [
    linePanel('Half of the requests take at most', 'ms', latency(0.5, signal), legend),
    linePanel('Nine of ten requests take at most', 'ms', latency(0.9, signal), legend),
    linePanel('99 % of the requests take at most', 'ms', latency(0.99, signal), legend),
  ];
}

/** What Envoy says of itself, by replica. */
function saturationPanels(series: MeshSeries, legend: string): Panel[] {
  const ofGateways = [`${gatewayLabel}=~"$gateway"`, `${gatewayLabel}!=""`];
  const sumOf = (name: string) =>
    `sum by (${gatewayLabel}, pod) (${series.metric(name, 'proxies', ...ofGateways)})`;
  const ofPod = `${legend} {{pod}}`;
  return [
    linePanel('Connections', 'short', sumOf('envoy_server_total_connections'), ofPod),
    linePanel('Memory in use', 'bytes', sumOf('envoy_server_memory_allocated'), ofPod),
    linePanel(
      'Uptime',
      'dtdurations',
      `max by (${gatewayLabel}, pod) (${series.metric('envoy_server_uptime', 'proxies', ...ofGateways)})`,
      ofPod,
    ),
  ];
}
