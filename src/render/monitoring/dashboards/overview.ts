import { gatewayLabel, type MeshSeries } from '../mesh-series.ts';
import { failureRatio, latency, requestRate } from '../signals.ts';
import { type Dashboard, linePanel, panelWindow as window } from './dashboard.ts';

/** How the mesh is, on one page. */
export function overviewDashboard(series: MeshSeries): Dashboard {
  const byNamespace = { of: series.received, window, by: ['destination_workload_namespace'] };
  const byGateway = { of: series.passedOn, window, by: [gatewayLabel] };
  const all = { of: series.received, window, by: [] };
  const gateway = `{{${gatewayLabel}}}`;
  const encrypted = { ...all, of: `${series.received}, connection_security_policy="mutual_tls"` };
  return {
    slug: 'overview',
    title: 'Overview',
    variables: [],
    rows: [
      {
        title: 'Now',
        columns: 6,
        panels: [
          {
            ...{ title: 'Requests', kind: 'stat', unit: 'reqps' },
            queries: [{ expr: requestRate(all), legend: 'requests' }],
          },
          {
            ...{ title: 'Failed', kind: 'stat', unit: 'percentunit' },
            description: 'A 5xx status, or a gRPC status that means a fault of the server.',
            queries: [{ expr: failureRatio(all), legend: 'failed' }],
          },
          {
            ...{ title: 'Slowest hundredth', kind: 'stat', unit: 'ms' },
            queries: [{ expr: latency(0.99, all), legend: 'p99' }],
          },
          {
            ...{ title: 'Over mutual TLS', kind: 'stat', unit: 'percentunit' },
            queries: [{ expr: `${requestRate(encrypted)} / ${requestRate(all)}`, legend: 'mutual TLS' }],
          },
          {
            ...{ title: 'Proxies connected to istiod', kind: 'stat', unit: 'short' },
            queries: [{ expr: `sum(${series.metric('pilot_xds', 'istiod')})`, legend: 'proxies' }],
          },
          {
            ...{ title: 'Alerts', kind: 'stat', unit: 'short' },
            queries: [
              {
                expr: `count(${series.own('ALERTS', 'alertstate="firing"')}) or vector(0)`,
                legend: 'firing',
              },
            ],
          },
        ],
      },
      {
        title: 'Traffic',
        columns: 3,
        panels: [
          linePanel(
            'Requests to namespaces',
            'reqps',
            requestRate(byNamespace),
            '{{destination_workload_namespace}}',
          ),
          linePanel(
            'Failed in namespaces',
            'percentunit',
            failureRatio(byNamespace),
            '{{destination_workload_namespace}}',
          ),
          linePanel(
            'Slowest hundredth in namespaces',
            'ms',
            latency(0.99, byNamespace),
            '{{destination_workload_namespace}}',
          ),
          linePanel('Requests through gateways', 'reqps', requestRate(byGateway), gateway),
          linePanel('Failed through gateways', 'percentunit', failureRatio(byGateway), gateway),
          linePanel('Slowest hundredth through gateways', 'ms', latency(0.99, byGateway), gateway),
        ],
      },
      {
        title: 'Parts',
        columns: 3,
        panels: [
          {
            ...{ title: 'Answering', kind: 'timeseries', unit: 'short' },
            description: 'Replicas and proxies whose metrics Prometheus reads.',
            queries: [
              { expr: `sum(${series.metric('up', 'istiod')})`, legend: 'istiod' },
              { expr: `sum(${series.metric('up', 'injector')})`, legend: 'injector' },
              { expr: `sum(${series.metric('up', 'proxies')})`, legend: 'proxies' },
            ],
          },
          linePanel(
            'Pods',
            'short',
            `sum by (state) (${series.own('mesh_operator_pods')})`,
            '{{state}}',
            'Pods that should have a sidecar, as the operator sees them.',
          ),
          {
            ...{ title: 'Bytes of TCP connections', kind: 'timeseries', unit: 'Bps' },
            queries: [
              {
                expr: `sum(rate(istio_tcp_received_bytes_total{${series.received}}[${window}]))`,
                legend: 'received',
              },
              {
                expr: `sum(rate(istio_tcp_sent_bytes_total{${series.received}}[${window}]))`,
                legend: 'sent',
              },
            ],
          },
        ],
      },
    ],
  };
}
