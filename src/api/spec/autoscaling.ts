import { z } from 'zod';
import { checkedByOperatorAlone, integer, quantity } from './field-format.ts';
import { labelSelectorSchema } from './pod-scheduling.ts';

/** What a metric of the pods' own resources can aim at. */
const resourceTarget = z.strictObject({
  type: z.enum(['Utilization', 'AverageValue']).describe('Which of the other fields counts.'),
  averageUtilization: integer(1)
    .optional()
    .describe('Percentage of the requested resource, averaged over pods.'),
  averageValue: quantity().optional().describe('Value averaged over pods.'),
});

const podsTarget = z.strictObject({
  type: z.enum(['AverageValue']).describe('Which of the other fields counts.'),
  averageValue: quantity().describe('Value averaged over pods.'),
});

/** What a metric of something else can aim at. */
const valueTarget = z.strictObject({
  type: z.enum(['Value', 'AverageValue']).describe('Which of the other fields counts.'),
  averageValue: quantity().optional().describe('Value divided by the number of pods.'),
  value: quantity().optional().describe('Total value.'),
});

const metricIdentifier = z.strictObject({
  name: z.string().describe('Name of the metric.'),
  selector: labelSelectorSchema.optional().describe('Series of the metric that count.'),
});

const metric = z
  .strictObject({
    type: z
      .enum(['Resource', 'ContainerResource', 'Pods', 'Object', 'External'])
      .describe('Which field below counts.'),
    resource: z
      .strictObject({
        name: z.string().describe('`cpu` or `memory`.'),
        target: resourceTarget.describe('Value to aim at.'),
      })
      .optional()
      .describe('A resource of the pod.'),
    containerResource: z
      .strictObject({
        name: z.string().describe('`cpu` or `memory`.'),
        container: z.string().describe('Name of the container.'),
        target: resourceTarget.describe('Value to aim at.'),
      })
      .optional()
      .describe('A resource of one container.'),
    pods: z
      .strictObject({
        metric: metricIdentifier.describe('The metric.'),
        target: podsTarget.describe('Value to aim at.'),
      })
      .optional()
      .describe('A metric of the pods.'),
    object: z
      .strictObject({
        describedObject: z
          .strictObject({
            apiVersion: z.string().optional().describe('Its API version.'),
            kind: z.string().describe('Its kind.'),
            name: z.string().describe('Its name.'),
          })
          .describe('The object.'),
        metric: metricIdentifier.describe('The metric.'),
        target: valueTarget.describe('Value to aim at.'),
      })
      .optional()
      .describe('A metric of one other object.'),
    external: z
      .strictObject({
        metric: metricIdentifier.describe('The metric.'),
        target: valueTarget.describe('Value to aim at.'),
      })
      .optional()
      .describe('A metric from outside the cluster.'),
  })
  .meta(checkedByOperatorAlone);

const scalingRules = z.strictObject({
  stabilizationWindowSeconds: integer(0, 3600).optional().describe('How long past recommendations count.'),
  selectPolicy: z.enum(['Max', 'Min', 'Disabled']).optional().describe('Which policy wins. Default: `Max`.'),
  policies: z
    .array(
      z.strictObject({
        type: z.enum(['Pods', 'Percent']).describe('Unit of `value`.'),
        value: integer(1).describe('Largest change in one period.'),
        periodSeconds: integer(1, 1800).describe('Length of the period.'),
      }),
    )
    .optional()
    .describe('Limits of the speed of scaling.'),
});

/** `spec` of a HorizontalPodAutoscaler v2. */
export const hpaSpecSchema = z.strictObject({
  scaleTargetRef: z
    .strictObject({
      apiVersion: z.enum(['apps/v1']).optional().describe('API version of the Deployment.'),
      kind: z.enum(['Deployment']).describe('Kind of what is scaled.'),
      name: z.string().describe('Name of the Deployment.'),
    })
    .optional()
    .describe('What is scaled. May be left out, since only the Deployment of the component can be named.'),
  minReplicas: integer(1).optional().describe('Fewest pods. Default: `replicaCount`, else 1.'),
  maxReplicas: integer(1).optional().describe('Most pods. Default: 5, or `minReplicas` when that is more.'),
  metrics: z.array(metric).optional().describe('What to scale by. Default: 80 % of the requested CPU.'),
  behavior: z
    .strictObject({
      scaleUp: scalingRules.optional().describe('Rules for adding pods.'),
      scaleDown: scalingRules.optional().describe('Rules for removing pods.'),
    })
    .optional()
    .describe('Speed limits of scaling.'),
});
