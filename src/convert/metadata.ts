import { dnsLabelRule, labelValueRule, qualifiedNameRule, type TextRule } from '../api/spec/field-format.ts';
import { type Draft, fieldsOf } from './draft.ts';
import type { SettingSource } from './setting-source.ts';
import { jsonOf, type SettingTree, settingsOf } from './setting-tree.ts';

/** What the API server and other tools have written into metadata. */
const written = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'finalizers',
  'generateName',
  'generation',
  'managedFields',
  'ownerReferences',
  'resourceVersion',
  'selfLink',
  'uid',
];

/** Annotations by which kubectl and other operators work with an object. */
const toolAnnotations =
  /^(kubectl\.kubernetes\.io|install\.istio\.io|sailoperator\.io|maistra\.io|meta\.helm\.sh)\//;

/** The annotation by which a person has stopped Istio's own operator. */
const ignored = 'install.istio.io/ignoreReconcile';

/**
 * Carries name, labels and annotations of an object; what belongs to its life in a cluster is left behind. The namespace is
 * the business of whoever knows what it means there.
 */
export function carryMetadata(metadata: SettingSource, draft: Draft): void {
  const { mesh, ledger } = draft;
  for (const key of written) ledger.preset(metadata.take(key), 'belongs to the object in its cluster');
  carryName(['metadata', 'name'], metadata.take('name'), draft);
  const annotations = fieldsOf(metadata.take('annotations'), ledger);
  for (const [key, tree] of annotations) {
    const value = jsonOf(tree);
    if (key === ignored && value === 'true') {
      mesh.give(['spec', 'paused', 'reason'], `${ignored} was set`, settingsOf(tree));
    } else if (toolAnnotations.test(key)) ledger.preset(tree, 'is for a tool that is left behind');
    else if (isText(key, qualifiedNameRule) && typeof value === 'string') {
      mesh.carry(['metadata', 'annotations', key], tree);
    } else ledger.lose(tree, 'is no annotation that an object can have');
  }
  for (const [key, tree] of fieldsOf(metadata.take('labels'), ledger)) {
    if (isText(key, qualifiedNameRule) && isText(jsonOf(tree), labelValueRule)) {
      mesh.carry(['metadata', 'labels', key], tree);
    } else ledger.lose(tree, 'is no label that an object can have');
  }
  for (const [, rest] of metadata.takeRest()) ledger.lose(rest, 'is no metadata of a MeshOperator');
}

/** Puts a name or namespace into metadata, when a MeshOperator can have it; else it keeps the one it has. */
export function carryName(
  path: readonly ['metadata', 'name' | 'namespace'],
  tree: SettingTree | undefined,
  { mesh, ledger }: Draft,
): void {
  if (tree === undefined) return;
  const value = jsonOf(tree);
  if (isText(value, dnsLabelRule)) mesh.give(path, value, settingsOf(tree));
  else ledger.lose(tree, `${dnsLabelRule.message}: it is ${String(mesh.peek(...path))} instead`);
}

function isText(value: unknown, { pattern, maxLength }: TextRule): value is string {
  return typeof value === 'string' && value.length <= maxLength && pattern.test(value);
}
