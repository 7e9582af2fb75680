import { type Draft, isEmptyTree } from './draft.ts';
import type { SettingSource } from './setting-source.ts';
import { given, listTree, objectTree, type SettingTree, settingsOf } from './setting-tree.ts';
import type { TreeBuilder } from './tree-builder.ts';

/** What is said of an autoscaler, by the names that a chart has for it. */
export interface AutoscalingKeys {
  readonly enabled: readonly string[];
  readonly min: readonly string[];
  readonly max: readonly string[];
  readonly cpu: readonly string[];
  readonly memory: readonly string[];
  readonly behavior: readonly string[];
}

/**
 * Carries what values say of the number of pods into the settings of a gateway: an autoscaler, unless it is turned off, or
 * else a fixed number. What is there already wins.
 */
export function carryGatewayScaling(
  values: SettingSource,
  keys: AutoscalingKeys,
  gateway: TreeBuilder,
  { ledger }: Draft,
): void {
  const replicas = values.take('replicaCount');
  const parts = {
    min: values.take(...keys.min),
    max: values.take(...keys.max),
    cpu: values.take(...keys.cpu),
    memory: values.take(...keys.memory),
    behavior: values.take(...keys.behavior),
  };
  const isOff = values.peek(...keys.enabled) === false;
  const enabled = values.take(...keys.enabled);
  if (isOff) {
    for (const part of Object.values(parts)) ledger.preset(part, 'counts only with an autoscaler');
    if (gateway.peek('k8s', 'hpaSpec') !== undefined) {
      ledger.preset(enabled, 'counts only without k8s.hpaSpec');
      ledger.preset(replicas, 'counts only without k8s.hpaSpec');
      return;
    }
    const count = replicas === undefined || isEmptyTree(replicas) ? given(1) : replicas;
    const settings = enabled === undefined ? [] : settingsOf(enabled);
    gateway.carryUnder(['k8s', 'replicaCount'], withSettings(count, settings));
    if (count !== replicas) ledger.preset(replicas, 'says nothing');
    return;
  }
  ledger.preset(enabled, 'is the case anyway');
  ledger.preset(replicas, 'counts only without an autoscaler');
  const metrics = [metric('cpu', parts.cpu), metric('memory', parts.memory)].filter(
    (item) => item !== undefined,
  );
  for (const part of [parts.cpu, parts.memory]) {
    if (part !== undefined && isEmptyTree(part)) ledger.preset(part, 'says nothing');
  }
  const hpaSpec = ['k8s', 'hpaSpec'];
  if (parts.min !== undefined) gateway.carryUnder([...hpaSpec, 'minReplicas'], parts.min);
  if (parts.max !== undefined) gateway.carryUnder([...hpaSpec, 'maxReplicas'], parts.max);
  if (metrics.length > 0) gateway.carryUnder([...hpaSpec, 'metrics'], listTree(metrics));
  if (parts.behavior !== undefined) {
    if (isEmptyTree(parts.behavior)) ledger.preset(parts.behavior, 'says nothing');
    else gateway.carryUnder([...hpaSpec, 'behavior'], parts.behavior);
  }
}

function metric(name: string, utilization: SettingTree | undefined): SettingTree | undefined {
  if (utilization === undefined || isEmptyTree(utilization)) return undefined;
  return objectTree({
    type: given('Resource'),
    resource: objectTree({
      name: given(name),
      target: objectTree({ type: given('Utilization'), averageUtilization: utilization }),
    }),
  });
}

function withSettings(tree: SettingTree, settings: ReturnType<typeof settingsOf>): SettingTree {
  return tree.kind === 'leaf' ? { ...tree, settings: [...tree.settings, ...settings] } : tree;
}
