import type { MeshSeries } from '../mesh-series.ts';
import { type Dashboard, linePanel, type Panel, panelWindow as window } from './dashboard.ts';

/** How long certificates last, and where a rotation is. */
export function certificatesDashboard(series: MeshSeries): Dashboard {
  const istiod = (name: string) => series.metric(name, 'istiod');
  const leaf = series.metric('istio_agent_cert_expiry_seconds', 'proxies');
  const rate = (name: string) => `sum(rate(${istiod(name)}[${window}]))`;
  return {
    slug: 'certificates',
    title: 'Certificates',
    variables: [],
    rows: [
      {
        title: 'What is left',
        columns: 4,
        panels: [
          stat('Root', `min(${istiod('citadel_server_root_cert_expiry_timestamp')}) - time()`),
          stat('Intermediate', `min(${istiod('citadel_server_cert_chain_expiry_timestamp')}) - time()`),
          stat('Shortest of a proxy', `min(${leaf})`),
          stat(
            'Injector',
            `min(${series.metric('mesh_operator_injector_certificate_not_after_seconds', 'injector')}) - time()`,
          ),
        ],
      },
      {
        title: 'Rotation',
        columns: 3,
        panels: [
          {
            ...{ title: 'Phase', kind: 'state-timeline', unit: 'short' },
            description: '1 in the phase that the authority is in. Stable: no rotation is under way.',
            queries: [
              {
                expr: `max by (phase) (${series.own('mesh_operator_ca_rotation_phase')})`,
                legend: '{{phase}}',
              },
            ],
          },
          linePanel(
            'Proxies',
            'short',
            `sum by (state) (${series.own('mesh_operator_ca_rotation_proxies')})`,
            '{{state}}',
            'Those that are where the phase wants them, and those it waits for.',
          ),
          linePanel(
            'What holds the phase',
            'short',
            `sum by (gate) (${series.own('mesh_operator_ca_rotation_blockers')})`,
            '{{gate}}',
          ),
          linePanel(
            'Certificates of the authority',
            'dtdurations',
            `min by (certificate, slot) (${series.own('mesh_operator_ca_certificate_expiry_timestamp_seconds')}) - time()`,
            '{{certificate}} {{slot}}',
            'What is left of each, by its slot: current signs, next follows, previous is still trusted.',
          ),
          linePanel(
            'Rotations that have ended',
            'short',
            `sum by (kind, reason) (${series.own('mesh_operator_ca_rotations_total')})`,
            '{{kind}} {{reason}}',
          ),
          linePanel(
            'How long the last one took',
            's',
            `max by (kind) (${series.own('mesh_operator_ca_last_rotation_duration_seconds')})`,
            '{{kind}}',
          ),
        ],
      },
      {
        title: 'Proxies',
        columns: 3,
        panels: [
          linePanel(
            'Shortest in each namespace',
            'dtdurations',
            `min by (namespace) (${leaf})`,
            '{{namespace}}',
          ),
          {
            ...{ title: 'Next to end', kind: 'table', unit: 'dtdurations' },
            queries: [
              { expr: `bottomk(20, min by (namespace, pod) (${leaf}))`, legend: '{{namespace}}/{{pod}}' },
            ],
          },
          {
            ...{ title: 'What istiod signs', kind: 'timeseries', unit: 'ops' },
            queries: [
              { expr: rate('citadel_server_success_cert_issuance_count'), legend: 'signed' },
              { expr: rate('citadel_server_authentication_failure_count'), legend: 'not believed' },
              { expr: rate('citadel_server_csr_parsing_err_count'), legend: 'not understood' },
              { expr: rate('citadel_server_csr_sign_err_count'), legend: 'not signed' },
            ],
          },
        ],
      },
    ],
  };
}

function stat(title: string, expr: string): Panel {
  return { title, kind: 'stat', unit: 'dtdurations', queries: [{ expr, legend: title }] };
}
