import type { Json } from '../api/resolved-mesh.ts';
import { isRecord } from '../base/stable-json.ts';

/** Keys and indexes that lead to a place in a document. */
export type Path = readonly (string | number)[];

/** One setting of what is converted: a leaf of a document. */
export interface Setting {
  /** Position of its document among those that are converted. */
  readonly document: number;
  readonly path: Path;
  readonly value: Json;
}

/**
 * A JSON value that knows where each part of it comes from. Leaves are values without parts: scalars, null, empty
 * objects and empty lists. What has no settings was given by the conversion itself.
 */
export type SettingTree = LeafTree | ObjectTree | ListTree;

export interface LeafTree {
  readonly kind: 'leaf';
  readonly value: Json;
  readonly settings: readonly Setting[];
}

export interface ObjectTree {
  readonly kind: 'object';
  readonly fields: Map<string, SettingTree>;
  /** Those of an empty object that the others came into. */
  settings: readonly Setting[];
}

export interface ListTree {
  readonly kind: 'list';
  readonly items: SettingTree[];
  readonly settings: readonly Setting[];
}

/** The tree of a document: each leaf is a setting. */
export function treeOf(document: number, value: Json, path: Path = []): SettingTree {
  if (Array.isArray(value) && value.length > 0) {
    const items = value.map((item, index) => treeOf(document, item, [...path, index]));
    return { kind: 'list', items, settings: [] };
  }
  if (isRecord(value) && Object.keys(value).length > 0) {
    const fields = Object.entries(value as Record<string, Json>).map(
      ([key, inner]) => [key, treeOf(document, inner, [...path, key])] as const,
    );
    return { kind: 'object', fields: new Map(fields), settings: [] };
  }
  return { kind: 'leaf', value, settings: [{ document, path, value }] };
}

/** A value that these settings stand for together. */
export function given(value: Json, settings: readonly Setting[] = []): SettingTree {
  if (Array.isArray(value) && value.length > 0) {
    return { kind: 'list', items: value.map((item) => given(item, settings)), settings: [] };
  }
  if (isRecord(value) && Object.keys(value).length > 0) {
    const fields = Object.entries(value as Record<string, Json>).map(
      ([key, inner]) => [key, given(inner, settings)] as const,
    );
    return { kind: 'object', fields: new Map(fields), settings: [] };
  }
  return { kind: 'leaf', value, settings };
}

/** An object of trees; those that are undefined are left out. */
export function objectTree(fields: Readonly<Record<string, SettingTree | undefined>>): ObjectTree {
  const there = Object.entries(fields).filter(
    (entry): entry is [string, SettingTree] => entry[1] !== undefined,
  );
  return { kind: 'object', fields: new Map(there), settings: [] };
}

/** A list of trees. */
export function listTree(items: readonly SettingTree[]): ListTree {
  return { kind: 'list', items: [...items], settings: [] };
}

/** The JSON value of a tree. */
export function jsonOf(tree: SettingTree): Json {
  switch (tree.kind) {
    case 'leaf':
      return tree.value;
    case 'list':
      return tree.items.map(jsonOf);
    default:
      // fromEntries defines keys, so that one named __proto__ stays a key.
      return Object.fromEntries([...tree.fields].map(([key, inner]) => [key, jsonOf(inner)]));
  }
}

/** Every setting in a tree, in its order. */
export function settingsOf(tree: SettingTree): Setting[] {
  return [...tree.settings, ...partsOf(tree).flatMap(settingsOf)];
}

/** The trees right below a tree. */
export function partsOf(tree: SettingTree): readonly SettingTree[] {
  if (tree.kind === 'leaf') return [];
  return tree.kind === 'list' ? tree.items : [...tree.fields.values()];
}

/** A tree of its own with the same settings. */
export function copyOf(tree: SettingTree): SettingTree {
  switch (tree.kind) {
    case 'leaf':
      return tree;
    case 'list':
      return { ...tree, items: tree.items.map(copyOf) };
    default:
      return { ...tree, fields: new Map([...tree.fields].map(([key, inner]) => [key, copyOf(inner)])) };
  }
}

/** The part at a path; undefined when there is none. */
export function partAt(tree: SettingTree | undefined, path: Path): SettingTree | undefined {
  let part: SettingTree | undefined = tree;
  for (const key of path) {
    if (part?.kind === 'object') part = part.fields.get(String(key));
    else if (part?.kind === 'list' && typeof key === 'number') part = part.items[key];
    else return undefined;
  }
  return part;
}

/** The way that the paths of all settings begin with; that of a single one is its own. */
export function commonPath(settings: readonly Setting[]): Path {
  const [first, ...others] = settings;
  if (first === undefined) return [];
  const end = first.path.findIndex((key, index) => others.some(({ path }) => path[index] !== key));
  return end < 0 ? first.path : first.path.slice(0, end);
}
