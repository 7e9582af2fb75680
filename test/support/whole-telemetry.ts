import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';

const settings = {
  accessLogs: [
    { provider: 'json', filter: 'response.code >= 400' },
    { provider: 'text', disabled: true },
  ],
  tracing: { provider: 'collector', sampling: 12.5, disabled: true, tags: { stage: 'test' } },
  metrics: [
    {
      metric: 'REQUEST_COUNT',
      side: 'SERVER',
      removeTags: ['source_principal'],
      tags: { request_host: 'request.host' },
    },
    { metric: 'REQUEST_SIZE', disabled: true },
  ],
} satisfies MeshOperatorSpec['telemetry'];

/** Every field of `spec.telemetry`. */
export const wholeTelemetry: readonly MeshOperatorSpec[] = [
  {
    telemetry: {
      providers: [
        { name: 'json', type: 'AccessLogFile', path: '/dev/stderr', fields: { code: '%RESPONSE_CODE%' } },
        { name: 'text', type: 'AccessLogFile', text: '%PROTOCOL% %REQ(:METHOD)%' },
        { name: 'collector', type: 'OpenTelemetry', service: 'otel.tracing.svc.cluster.local', port: 4400 },
        {
          name: 'over-http',
          type: 'OpenTelemetry',
          service: 'otel.tracing.svc.cluster.local',
          path: '/v1/traces',
        },
        { name: 'zipkin', type: 'Zipkin', service: 'zipkin.tracing.svc.cluster.local', path: '/spans' },
      ],
      ...settings,
      namespaces: [{ namespace: 'shop', ...settings }],
    },
  },
  {
    telemetry: {
      monitoring: {
        labels: { release: 'prometheus' },
        interval: '1m',
        alerts: { errorPercent: 1, latencyMs: 300 },
      },
    },
  },
  { telemetry: { monitoring: { alerts: { enabled: false }, dashboards: { enabled: false } } } },
  { telemetry: { monitoring: { enabled: false } } },
];
