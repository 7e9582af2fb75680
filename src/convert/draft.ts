import type { Ledger } from './ledger.ts';
import { given, listTree, objectTree, type SettingTree } from './setting-tree.ts';
import type { TreeBuilder } from './tree-builder.ts';

/** What conversions write to: the mesh, and what becomes of settings that are not in it. */
export interface Draft {
  readonly mesh: TreeBuilder;
  readonly ledger: Ledger;
}

/** An overlay of one object; each patch puts something at a path. */
export function overlayTree(
  kind: string,
  name: string,
  patches: readonly { readonly path: string; readonly value: SettingTree }[],
): SettingTree {
  return objectTree({
    kind: given(kind),
    name: given(name),
    patches: listTree(patches.map(({ path, value }) => objectTree({ path: given(path), value }))),
  });
}

/** A path that has one more key, whatever is in the key. */
export function pathWithKey(path: string, key: string): string {
  return `${path}.${key.replaceAll('.', '\\.')}`;
}

/** A patch for each key of an object of texts, so that other keys stay. */
export function patchesOf(
  path: string,
  tree: SettingTree | undefined,
  ledger: Ledger,
): { path: string; value: SettingTree }[] {
  return fieldsOf(tree, ledger).map(([key, value]) => ({ path: pathWithKey(path, key), value }));
}

/** The variables of a map, as a list of them. */
export function variablesOf(tree: SettingTree | undefined, ledger: Ledger): SettingTree[] {
  return fieldsOf(tree, ledger).map(([name, value]) => objectTree({ name: given(name), value }));
}

/** The fields of an object; anything else is named, unless it is empty. */
export function fieldsOf(tree: SettingTree | undefined, ledger: Ledger): [key: string, tree: SettingTree][] {
  if (tree?.kind === 'object') return [...tree.fields];
  loseUnlessEmpty(tree, 'must be an object', ledger);
  return [];
}

/** The items of a list; anything else is named, unless it is empty. */
export function itemsOf(tree: SettingTree | undefined, ledger: Ledger): readonly SettingTree[] {
  if (tree?.kind === 'list') return tree.items;
  loseUnlessEmpty(tree, 'must be a list', ledger);
  return [];
}

/** Names a tree that cannot be carried; one that is empty or null says nothing. */
export function loseUnlessEmpty(tree: SettingTree | undefined, reason: string, ledger: Ledger): void {
  if (tree === undefined) return;
  if (isEmptyTree(tree)) ledger.preset(tree, 'says nothing');
  else ledger.lose(tree, reason);
}

/** Whether a tree is an empty text, list or object, or null. */
export function isEmptyTree(tree: SettingTree): boolean {
  if (tree.kind !== 'leaf') return false;
  return tree.value === null || tree.value === '' || typeof tree.value === 'object';
}
