import { z } from 'zod';
import { goDuration, percentage } from './field-format.ts';
import { labelSelectorSchema } from './pod-scheduling.ts';
import { prometheusAddress } from './prometheus.ts';

/** More waves than this would take longer than a release lives. */
const maxWaves = 32;

const waveSchema = z.strictObject({
  namespaceSelector: labelSelectorSchema.describe('Namespaces of the wave, by label.'),
  soak: goDuration()
    .optional()
    .describe(
      'How long every proxy of the wave is watched, once all are well, before the next. Default: `0s`.',
    ),
});

const errorRateSchema = z.strictObject({
  prometheus: prometheusAddress(),
  limit: percentage().describe('Percentage of requests that may fail, for example `1%`.'),
  window: goDuration()
    .optional()
    .describe('How long, from when every proxy is well, requests are counted. Default: `1m`.'),
});

/** How another version of Istio gets into a mesh. */
export const upgradeSchema = z.strictObject({
  strategy: z
    .enum(['InPlace', 'RevisionBased'])
    .optional()
    .describe(
      '`InPlace` replaces the control plane; `RevisionBased` gives each version a control plane of its own beside the old one, a MeshOperator named `NAME-VERSION`, to which namespaces are moved wave by wave. Cannot be changed. Default: `InPlace`.',
    ),
  restart: z
    .enum(['Never', 'Waves'])
    .optional()
    .describe(
      'Whether workloads whose proxies are of another version are restarted, wave by wave. Default: `Waves` with `RevisionBased`, else `Never`.',
    ),
  waves: z
    .array(waveSchema)
    .max(maxWaves, `must not have more than ${maxWaves} waves`)
    .optional()
    .describe(
      'Namespaces that go one after the other; a namespace is in the first wave that selects it, and in a last one when none does. Default: all at once.',
    ),
  waveTimeout: goDuration()
    .optional()
    .describe('How long a step may take before it counts as failed. Default: `15m`.'),
  errorRate: errorRateSchema
    .optional()
    .describe(
      'A wave has failed as well when more requests to its namespaces fail than the limit says: those with a 5xx status, or with a gRPC status that means a fault of the server.',
    ),
  onFailure: z
    .enum(['Rollback', 'Pause'])
    .optional()
    .describe(
      'What a step that failed leads to. `Rollback`, for `RevisionBased` alone, goes back to the control plane from before. Default: `Rollback` with `RevisionBased`, else `Pause`.',
    ),
  gracePeriod: goDuration()
    .optional()
    .describe('For `RevisionBased`: how long a control plane stays that nothing uses. Default: `1h`.'),
});

export type ErrorRate = z.infer<typeof errorRateSchema>;
export type Upgrade = z.infer<typeof upgradeSchema>;

/** Where the tags of a revision count, while another one has them elsewhere. */
export const revisionTagScopeSchema = z.strictObject({
  namespaces: z
    .array(z.string().min(1).max(63))
    .optional()
    .describe('Only in these namespaces. Default: in all.'),
  exceptNamespaces: z.array(z.string().min(1).max(63)).optional().describe('In none of these.'),
});

export type RevisionTagScope = z.infer<typeof revisionTagScopeSchema>;
