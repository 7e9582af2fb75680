import { z } from 'zod';
import { checkedByOperatorAlone, integer } from './field-format.ts';

const requirement = z.strictObject({
  key: z.string().describe('Label key the requirement speaks of.'),
  operator: z
    .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
    .describe('How the label compares with `values`.'),
  values: z.array(z.string()).optional().describe('Values for `In` and `NotIn`; empty for the others.'),
});

/** A Kubernetes label selector. */
export const labelSelectorSchema = z.strictObject({
  matchLabels: z
    .record(z.string(), z.string())
    .optional()
    .describe('Labels that must have exactly these values.'),
  matchExpressions: z.array(requirement).optional().describe('Further requirements; all must hold.'),
});

export const tolerationSchema = z.strictObject({
  key: z.string().optional().describe('Taint key; absent with `Exists` tolerates every taint.'),
  operator: z.enum(['Exists', 'Equal']).optional().describe('Default: `Equal`.'),
  value: z.string().optional().describe('Taint value for `Equal`.'),
  effect: z
    .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
    .optional()
    .describe('Absent means every effect.'),
  tolerationSeconds: z
    .int()
    .optional()
    .describe('How long a `NoExecute` taint is tolerated; absent means for ever.'),
});

const nodeRequirement = z.strictObject({
  key: z.string().describe('Node label (or field) the requirement speaks of.'),
  operator: z
    .enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'])
    .describe('How the label compares with `values`.'),
  values: z.array(z.string()).optional().describe('Values to compare with.'),
});

const nodeSelectorTerm = z.strictObject({
  matchExpressions: z
    .array(nodeRequirement)
    .optional()
    .describe('Requirements on node labels; all must hold.'),
  matchFields: z.array(nodeRequirement).optional().describe('Requirements on node fields; all must hold.'),
});

const nodeAffinity = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: z
    .strictObject({
      nodeSelectorTerms: z.array(nodeSelectorTerm).describe('A node must match one of these terms.'),
    })
    .optional()
    .describe('Which nodes are allowed.'),
  preferredDuringSchedulingIgnoredDuringExecution: z
    .array(
      z.strictObject({
        weight: integer(1, 100).describe('1 to 100; sums up over matching terms.'),
        preference: nodeSelectorTerm.describe('The term a node should match.'),
      }),
    )
    .optional()
    .describe('Which nodes are preferred.'),
});

const podAffinityTerm = z.strictObject({
  labelSelector: labelSelectorSchema.optional().describe('Pods to be near to, or away from.'),
  namespaceSelector: labelSelectorSchema.optional().describe('Namespaces of these pods, by label.'),
  namespaces: z.array(z.string()).optional().describe('Namespaces of these pods, by name.'),
  topologyKey: z.string().describe('Node label whose value makes two nodes one place.'),
  matchLabelKeys: z
    .array(z.string())
    .optional()
    .describe('Pod label keys whose own values are added to the selector.'),
  mismatchLabelKeys: z
    .array(z.string())
    .optional()
    .describe('Pod label keys whose own values are excluded by the selector.'),
});

const podAffinity = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: z
    .array(podAffinityTerm)
    .optional()
    .describe('Terms that must hold.'),
  preferredDuringSchedulingIgnoredDuringExecution: z
    .array(
      z.strictObject({
        weight: integer(1, 100).describe('1 to 100; sums up over matching terms.'),
        podAffinityTerm: podAffinityTerm.describe('The term that should hold.'),
      }),
    )
    .optional()
    .describe('Terms that should hold.'),
});

export const affinitySchema = z
  .strictObject({
    nodeAffinity: nodeAffinity.optional().describe('Rules about nodes.'),
    podAffinity: podAffinity.optional().describe('Pods to run near to.'),
    podAntiAffinity: podAffinity.optional().describe('Pods to stay away from.'),
  })
  .meta(checkedByOperatorAlone);

export const topologySpreadConstraintSchema = z.strictObject({
  maxSkew: integer(1).describe('Largest allowed difference in pods between two places.'),
  topologyKey: z.string().describe('Node label whose value makes two nodes one place.'),
  whenUnsatisfiable: z
    .enum(['DoNotSchedule', 'ScheduleAnyway'])
    .describe('What to do when it cannot be kept.'),
  labelSelector: labelSelectorSchema.optional().describe('Pods that are counted.'),
  matchLabelKeys: z
    .array(z.string())
    .optional()
    .describe('Pod label keys whose own values are added to the selector.'),
  minDomains: integer(1).optional().describe('Smallest number of places; fewer count as empty ones.'),
  nodeAffinityPolicy: z
    .enum(['Honor', 'Ignore'])
    .optional()
    .describe('Whether node affinity limits the places.'),
  nodeTaintsPolicy: z.enum(['Honor', 'Ignore']).optional().describe('Whether node taints limit the places.'),
});
