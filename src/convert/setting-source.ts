import type { Json } from '../api/resolved-mesh.ts';
import { isRecord } from '../base/stable-json.ts';
import { jsonOf, type ObjectTree, type Path, partAt, type SettingTree } from './setting-tree.ts';

/** A part of a document out of which settings are taken, one after the other, until nothing is left. */
export class SettingSource {
  readonly #root: ObjectTree;
  readonly #rest: SettingTree[] = [];

  /** Takes the tree over: what is taken out of the source is gone from it. */
  constructor(tree: SettingTree | undefined) {
    if (tree?.kind === 'object') this.#root = tree;
    else {
      this.#root = { kind: 'object', fields: new Map(), settings: [] };
      if (tree !== undefined) this.#rest.push(tree);
    }
  }

  /** What is at a path and was not taken yet. */
  peek(...path: Path): Json | undefined {
    const part = partAt(this.#root, path);
    return part === undefined ? undefined : jsonOf(part);
  }

  /** The text at a path; undefined for anything else, and for an empty one. */
  peekText(...path: Path): string | undefined {
    const value = this.peek(...path);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** Keys of the object at a path. */
  keys(...path: Path): string[] {
    const value = this.peek(...path);
    return isRecord(value) ? Object.keys(value) : [];
  }

  /** Takes a part out; undefined when it is not there. Objects that become empty go with their last part. */
  take(...path: Path): SettingTree | undefined {
    return takeFrom(this.#root, path);
  }

  /** The same as a source of its own. */
  within(...path: Path): SettingSource {
    return new SettingSource(this.take(...path));
  }

  /** Puts a part back that somebody else is to take. */
  put(path: Path, tree: SettingTree): void {
    let parent = this.#root;
    for (const key of path.slice(0, -1)) {
      const inner = parent.fields.get(String(key));
      const object: ObjectTree =
        inner?.kind === 'object' ? inner : { kind: 'object', fields: new Map(), settings: [] };
      parent.fields.set(String(key), object);
      parent = object;
    }
    parent.fields.set(String(path.at(-1)), tree);
  }

  /** Takes out everything that is left, field by field. */
  takeRest(): [field: string, tree: SettingTree][] {
    const rest = [...this.#root.fields.entries()];
    this.#root.fields.clear();
    return [...rest, ...this.#rest.splice(0).map((tree): [string, SettingTree] => ['', tree])];
  }
}

function takeFrom(tree: ObjectTree, [key, ...path]: Path): SettingTree | undefined {
  const field = String(key);
  const inner = tree.fields.get(field);
  if (inner === undefined) return undefined;
  if (path.length === 0) {
    tree.fields.delete(field);
    return inner;
  }
  if (inner.kind !== 'object') return undefined;
  const taken = takeFrom(inner, path);
  if (inner.fields.size === 0 && inner.settings.length === 0) tree.fields.delete(field);
  return taken;
}
