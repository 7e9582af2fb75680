import { z } from 'zod';
import { labels, type TextRule, textOf } from './field-format.ts';

const intervalRule: TextRule = {
  pattern: /^(([1-9]|[1-9][0-9]|1[01][0-9]|120)s|[12]m)$/,
  maxLength: 4,
  message: 'must be 1s to 120s, 1m or 2m: alerts look at five minutes at a time, which needs two readings',
};

/** Who reads the metrics of the mesh, and what becomes of them. */
export const monitoringSchema = z.strictObject({
  enabled: z
    .boolean()
    .optional()
    .describe('Whether there are such objects. Default: `true` where the block is given.'),
  labels: labels()
    .optional()
    .describe('Labels of the monitors, by which a Prometheus selects them. Default: none.'),
  interval: textOf(intervalRule)
    .optional()
    .describe('How often metrics are read. Default: as the Prometheus is set.'),
});

export type MonitoringSettings = z.infer<typeof monitoringSchema>;
