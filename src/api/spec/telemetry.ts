import { z } from 'zod';
import { dnsLabel, port, type TextRule, textOf } from './field-format.ts';
import { monitoringSchema } from './monitoring.ts';

/** The metrics of Istio's proxies, by the names of the Telemetry API (istio.io/api telemetry/v1alpha1). */
export const istioMetrics = [
  'ALL_METRICS',
  'REQUEST_COUNT',
  'REQUEST_DURATION',
  'REQUEST_SIZE',
  'RESPONSE_SIZE',
  'TCP_OPENED_CONNECTIONS',
  'TCP_CLOSED_CONNECTIONS',
  'TCP_SENT_BYTES',
  'TCP_RECEIVED_BYTES',
  'GRPC_REQUEST_MESSAGES',
  'GRPC_RESPONSE_MESSAGES',
] as const;

const providerNameRule: TextRule = {
  pattern: /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/,
  maxLength: 63,
  message: 'must be the name of a provider: letters, digits, "-", "_" and "."',
};

const serviceRule: TextRule = {
  pattern:
    /^([a-z0-9]([-a-z0-9]*[a-z0-9])?\/)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  maxLength: 317,
  message: 'must be a host that the mesh knows, for example collector.tracing.svc.cluster.local',
};

const pathRule: TextRule = {
  pattern: /^\/[A-Za-z0-9._/@+-]*$/,
  maxLength: 1024,
  message: 'must be a path that begins with /',
};

const expressionRule: TextRule = {
  pattern: /\S/,
  maxLength: 4096,
  message: 'must be a CEL expression, for example response.code >= 400',
};

const metricTagRule: TextRule = {
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
  maxLength: 128,
  message: 'must be the name of a label: letters, digits and "_", no leading digit',
};

const providerName = () => textOf(providerNameRule);

const providerSchema = z.strictObject({
  name: providerName().describe('Name by which settings choose it.'),
  type: z
    .enum(['AccessLogFile', 'OpenTelemetry', 'Zipkin'])
    .describe(
      'What takes access logs (`AccessLogFile`), or spans: a collector that speaks OTLP (`OpenTelemetry`) or Zipkin; Jaeger speaks both.',
    ),
  fields: z
    .record(z.string().min(1), z.string())
    .optional()
    .describe(
      "For `AccessLogFile`: lines are JSON with these fields; values are Envoy's format, `%PROTOCOL%`.",
    ),
  text: z
    .string()
    .min(1)
    .max(8192)
    .optional()
    .describe("For `AccessLogFile`, instead of `fields`: lines of text in Envoy's format."),
  service: textOf(serviceRule).optional().describe('Host of the collector, as the mesh knows it.'),
  port: port()
    .optional()
    .describe('Port of the collector. Default: `4317`, `4318` with `path`; `9411` for Zipkin.'),
  path: textOf(pathRule)
    .optional()
    .describe(
      'The file, by default `/dev/stdout`; the path of spans over HTTP, without which `OpenTelemetry` uses gRPC.',
    ),
});

const accessLogSchema = z.strictObject({
  provider: providerName().describe('Provider that writes the log; `envoy` is built in.'),
  filter: textOf(expressionRule)
    .optional()
    .describe('CEL expression over attributes of the request: only what it is true for is logged.'),
  disabled: z.boolean().optional().describe('Turns the log of this provider off. Default: `false`.'),
});

const tracingSchema = z.strictObject({
  provider: providerName().optional().describe('Provider that takes the spans. Default: that of the mesh.'),
  sampling: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe('Percentage of requests that are traced; the first proxy of a request decides.'),
  disabled: z.boolean().optional().describe('Turns the reporting of spans off. Default: `false`.'),
  tags: z.record(z.string().min(1), z.string()).optional().describe('Tags of each span, with their values.'),
});

const metricSchema = z.strictObject({
  metric: z.enum(istioMetrics).optional().describe('Default: `ALL_METRICS`.'),
  side: z
    .enum(['CLIENT', 'SERVER', 'CLIENT_AND_SERVER'])
    .optional()
    .describe('The proxies that count it. Default: `CLIENT_AND_SERVER`.'),
  disabled: z.boolean().optional().describe('Whether it is counted at all. Default: `false`.'),
  removeTags: z.array(textOf(metricTagRule)).optional().describe('Labels that it loses.'),
  tags: z
    .record(textOf(metricTagRule), textOf(expressionRule))
    .optional()
    .describe('Labels that it gets, or that get another value: CEL expressions.'),
});

const settings = {
  accessLogs: z.array(accessLogSchema).optional().describe('Which requests are logged, and how.'),
  tracing: tracingSchema.optional().describe('Which requests are traced, and where spans go.'),
  metrics: z.array(metricSchema).optional().describe('What metrics of proxies are not as Istio has them.'),
};

/** What proxies tell of the traffic. */
export const telemetrySchema = z.strictObject({
  providers: z
    .array(providerSchema)
    .max(64, 'must not have more than 64 providers')
    .optional()
    .describe("Where logs and spans go; they become `extensionProviders` of Istio's MeshConfig."),
  ...settings,
  namespaces: z
    .array(z.strictObject({ namespace: dnsLabel().describe('Name of the namespace.'), ...settings }))
    .optional()
    .describe('What is otherwise in a namespace; what is left out there is as in the mesh.'),
  monitoring: monitoringSchema
    .optional()
    .describe('What watches the mesh: objects for a Prometheus Operator and Grafana.'),
});

export type Telemetry = z.infer<typeof telemetrySchema>;
export type TelemetryProvider = z.infer<typeof providerSchema>;
export type TelemetryMetric = z.infer<typeof metricSchema>;
/** What may be said of the mesh and of each namespace. */
export type TelemetrySettings = Pick<Telemetry, 'accessLogs' | 'tracing' | 'metrics'>;
