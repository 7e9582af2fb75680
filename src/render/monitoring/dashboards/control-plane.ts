import type { MeshSeries } from '../mesh-series.ts';
import { type Dashboard, linePanel, type Panel, panelWindow as window } from './dashboard.ts';

/** What istiod and the injector do, and how busy they are with it. */
export function controlPlaneDashboard(series: MeshSeries): Dashboard {
  const istiod = (name: string, ...further: string[]) => series.metric(name, 'istiod', ...further);
  const injector = (name: string, ...further: string[]) => series.metric(name, 'injector', ...further);
  const proxies = (name: string, ...further: string[]) => series.metric(name, 'proxies', ...further);
  const sumBy = (label: string, counter: string) => `sum by (${label}) (rate(${counter}[${window}]))`;
  const quantile = (fraction: number, buckets: string) =>
    `histogram_quantile(${fraction}, sum by (le) (rate(${buckets}[${window}])))`;
  const times = (title: string, buckets: string, description?: string): Panel => ({
    ...{ title, kind: 'timeseries', unit: 's' },
    ...(description === undefined ? {} : { description }),
    queries: [
      { expr: quantile(0.5, buckets), legend: 'half' },
      { expr: quantile(0.99, buckets), legend: '99 %' },
    ],
  });
  return {
    slug: 'control-plane',
    title: 'Control plane',
    variables: [],
    rows: [
      {
        title: 'Changes on their way to proxies',
        columns: 3,
        panels: [
          linePanel('Proxies connected', 'short', `sum by (pod) (${istiod('pilot_xds')})`, '{{pod}}'),
          linePanel('Pushes', 'ops', sumBy('type', istiod('pilot_xds_pushes')), '{{type}}'),
          linePanel('What pushes are for', 'ops', sumBy('type', istiod('pilot_push_triggers')), '{{type}}'),
          times(
            'Until all proxies have a change',
            istiod('pilot_proxy_convergence_time_bucket'),
            'From a change of the configuration to the last proxy that needs it.',
          ),
          times('Waiting in line', istiod('pilot_proxy_queue_time_bucket')),
          times('Building and sending', istiod('pilot_xds_push_time_bucket')),
        ],
      },
      {
        title: 'What goes wrong',
        columns: 4,
        panels: [
          linePanel(
            'Rejected by proxies',
            'ops',
            sumBy('type', istiod('pilot_total_xds_rejects')),
            '{{type}}',
          ),
          {
            ...{ title: 'Errors of pushes', kind: 'timeseries', unit: 'ops' },
            queries: [
              {
                expr: `sum(rate(${istiod('pilot_total_xds_internal_errors')}[${window}]))`,
                legend: 'internal',
              },
              {
                expr: `sum(rate(${istiod('pilot_xds_write_timeout')}[${window}]))`,
                legend: 'timeout of a write',
              },
              {
                expr: sumBy('type', istiod('pilot_xds_pushes', 'type=~".+_(builderr|senderr)"')),
                legend: '{{type}}',
              },
            ],
          },
          linePanel(
            'Errors of watches',
            'ops',
            sumBy('cluster', istiod('controller_sync_errors_total')),
            '{{cluster}}',
          ),
          linePanel(
            'Proxies that do not reach istiod',
            'ops',
            sumBy('namespace', proxies('istio_agent_istiod_connection_failures')),
            '{{namespace}}',
            'Failed connections, by the namespace of the proxy.',
          ),
        ],
      },
      {
        title: 'What istiod knows, and what it takes',
        columns: 4,
        panels: [
          linePanel('Services', 'short', `max(${istiod('pilot_services')})`, 'services'),
          linePanel(
            'Events of Kubernetes',
            'ops',
            sumBy('type', istiod('pilot_k8s_reg_events')),
            '{{type}}',
            'Changes of Services, endpoints, pods and nodes.',
          ),
          linePanel(
            'Processors',
            'short',
            `sum by (pod) (rate(${istiod('process_cpu_seconds_total')}[${window}]))`,
            '{{pod}}',
          ),
          linePanel(
            'Memory',
            'bytes',
            `sum by (pod) (${istiod('process_resident_memory_bytes')})`,
            '{{pod}}',
          ),
        ],
      },
      {
        title: 'Sidecar injector',
        columns: 4,
        panels: [
          {
            ...{ title: 'Pods', kind: 'timeseries', unit: 'ops' },
            queries: [
              {
                expr: `sum(rate(${injector('sidecar_injection_success_total')}[${window}]))`,
                legend: 'injected',
              },
              {
                expr: `sum(rate(${injector('sidecar_injection_skip_total')}[${window}]))`,
                legend: 'let through',
              },
              {
                expr: `sum(rate(${injector('sidecar_injection_failure_total')}[${window}]))`,
                legend: 'refused or failed',
              },
            ],
          },
          linePanel(
            'Refused or failed',
            'ops',
            sumBy('reason', injector('mesh_operator_injection_failures_total')),
            '{{reason}}',
          ),
          times('Time of a decision', injector('sidecar_injection_time_seconds_bucket')),
          linePanel(
            'Memory',
            'bytes',
            `sum by (pod) (${injector('process_resident_memory_bytes')})`,
            '{{pod}}',
          ),
        ],
      },
    ],
  };
}
