import { mergeJson } from './merge-json.ts';
import { everyNode } from './node-components.ts';
import { type DaemonSetDefaults, envVariables, mergeUpdateStrategy } from './resolve-workload.ts';
import type { JsonObject } from './resolved-mesh.ts';
import type { Values } from './spec/values.ts';

/** What the charts `cni` and `ztunnel` have by the same names. */
type NodeComponentValues = Pick<
  NonNullable<Values['cni']> & NonNullable<Values['ztunnel']>,
  | 'resources'
  | 'updateStrategy'
  | 'env'
  | 'tolerations'
  | 'affinity'
  | 'podAnnotations'
  | 'podLabels'
  | 'terminationGracePeriodSeconds'
  | 'resourceQuotas'
>;

/** What a component with a pod on every node has by its values, over the defaults of its chart. */
export function nodeDefaults(
  values: NodeComponentValues,
  chart: { readonly requests: JsonObject; readonly rollingUpdate: JsonObject },
) {
  return {
    resources: mergeJson({ requests: chart.requests }, values.resources as JsonObject | undefined),
    updateStrategy: mergeUpdateStrategy(
      { type: 'RollingUpdate', rollingUpdate: chart.rollingUpdate },
      values.updateStrategy as JsonObject | undefined,
    ),
    env: envVariables(values.env),
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: (values.tolerations as readonly JsonObject[] | undefined) ?? everyNode,
    ...(values.affinity === undefined ? {} : { affinity: values.affinity as JsonObject }),
    podAnnotations: values.podAnnotations ?? {},
    podLabels: values.podLabels ?? {},
    priorityClassName: 'system-node-critical',
  } satisfies DaemonSetDefaults;
}

/** How long its pods may take to end, and how many of their priority its namespace may have, where that is limited. */
export function nodeLimits({ terminationGracePeriodSeconds = 30, resourceQuotas }: NodeComponentValues) {
  return {
    terminationGracePeriodSeconds,
    ...(resourceQuotas?.enabled === true ? { quota: resourceQuotas.pods ?? 5000 } : {}),
  };
}

/** Undefined for options that say nothing. */
export function unlessEmpty(options: object | undefined): JsonObject | undefined {
  return options === undefined || Object.keys(options).length === 0 ? undefined : (options as JsonObject);
}
