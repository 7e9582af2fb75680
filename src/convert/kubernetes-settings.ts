import { isRecord } from '../base/stable-json.ts';
import type { Draft } from './draft.ts';
import { given, jsonOf, objectTree, partAt, type SettingTree, settingsOf } from './setting-tree.ts';

/**
 * `k8s` of a component of IstioOperator in the form that it has here, in place: metrics of an autoscaler that are written as
 * in `autoscaling/v2beta1`, and selectors that only say what is the case.
 */
export function adaptKubernetesSettings(tree: SettingTree | undefined, { ledger }: Draft): void {
  const metrics = partAt(tree, ['hpaSpec', 'metrics']);
  if (metrics?.kind === 'list') {
    for (const [index, metric] of metrics.items.entries()) metrics.items[index] = adaptMetric(metric);
  }
  for (const place of ['podDisruptionBudget', 'service']) {
    const part = partAt(tree, [place]);
    const selector = partAt(part, ['selector']);
    if (part?.kind !== 'object' || selector === undefined || !isUsualSelector(jsonOf(selector))) continue;
    ledger.preset(selector, 'is set by the operator');
    part.fields.delete('selector');
  }
}

/** Whether a selector names nothing but the labels by which pods of Istio are told apart. */
function isUsualSelector(selector: unknown): boolean {
  if (!isRecord(selector)) return false;
  const labels =
    isRecord(selector.matchLabels) && Object.keys(selector).length === 1 ? selector.matchLabels : selector;
  return Object.entries(labels).every(
    ([key, value]) => ['app', 'istio'].includes(key) && typeof value === 'string',
  );
}

/** Targets as they were written before `autoscaling/v2`, by the types that they have there. */
const oldTargets = [
  { old: 'targetAverageUtilization', type: 'Utilization', field: 'averageUtilization' },
  { old: 'targetAverageValue', type: 'AverageValue', field: 'averageValue' },
];

function adaptMetric(metric: SettingTree): SettingTree {
  const resource = partAt(metric, ['resource']);
  const target = oldTargets.find(({ old }) => partAt(resource, [old]) !== undefined);
  if (target === undefined || metric.kind !== 'object' || resource?.kind !== 'object') return metric;
  const value = partAt(resource, [target.old]);
  const { [target.old]: _old, ...others } = Object.fromEntries(resource.fields);
  const adapted = objectTree({
    ...others,
    target: objectTree({
      type: given(target.type, value === undefined ? [] : settingsOf(value)),
      [target.field]: value,
    }),
  });
  return { ...metric, fields: new Map(metric.fields).set('resource', adapted) };
}
