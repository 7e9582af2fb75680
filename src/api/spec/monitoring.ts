import { z } from 'zod';
import { integer, labels, type TextRule, textOf } from './field-format.ts';

const intervalRule: TextRule = {
  pattern: /^(([1-9]|[1-9][0-9]|1[01][0-9]|120)s|[12]m)$/,
  maxLength: 4,
  message: 'must be 1s to 120s, 1m or 2m: alerts look at five minutes at a time, which needs two readings',
};

const alertsSchema = z.strictObject({
  enabled: z
    .boolean()
    .optional()
    .describe('Whether there are alerts, and the recorded series that they look at. Default: `true`.'),
  errorPercent: z
    .number()
    .gt(0)
    .max(100)
    .optional()
    .describe('Percentage of requests to a workload, or through a gateway, that may fail. Default: `5`.'),
  latencyMs: integer(1, 3_600_000)
    .optional()
    .describe(
      'Milliseconds that 99 % of requests to a workload, or through a gateway, may take at most. Default: `1000`.',
    ),
});

/** Who reads the metrics of the mesh, and what becomes of them. */
export const monitoringSchema = z.strictObject({
  enabled: z
    .boolean()
    .optional()
    .describe('Whether there are such objects. Default: `true` where the block is given.'),
  labels: labels()
    .optional()
    .describe('Labels of the monitors and the rules, by which a Prometheus selects them. Default: none.'),
  interval: textOf(intervalRule)
    .optional()
    .describe('How often metrics are read. Default: as the Prometheus is set.'),
  alerts: alertsSchema
    .optional()
    .describe('Who is told what: a PrometheusRule on traffic, certificates and the control plane.'),
  dashboards: z
    .strictObject({
      enabled: z
        .boolean()
        .optional()
        .describe('Whether there are ConfigMaps with dashboards, labelled for Grafana. Default: `true`.'),
    })
    .optional()
    .describe('What there is to look at in Grafana.'),
});

export type MonitoringSettings = z.infer<typeof monitoringSchema>;
