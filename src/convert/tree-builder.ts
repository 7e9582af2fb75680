import { pathText } from '../api/problem.ts';
import type { Json } from '../api/resolved-mesh.ts';
import { stableJson } from '../base/stable-json.ts';
import type { Ledger } from './ledger.ts';
import {
  given,
  jsonOf,
  type ObjectTree,
  type Path,
  partAt,
  type Setting,
  type SettingTree,
  settingsOf,
} from './setting-tree.ts';

/** An object that grows out of settings, and knows which setting each part of it comes from. */
export class TreeBuilder {
  readonly root: ObjectTree = { kind: 'object', fields: new Map(), settings: [] };
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Puts settings where they belong, objects key by key; they win over what is there, and those that lose are named. */
  carry(path: Path, tree: SettingTree | undefined): void {
    if (tree !== undefined) this.#put(path, tree, 'new');
  }

  /** The same, but what is there wins. */
  carryUnder(path: Path, tree: SettingTree | undefined): void {
    if (tree !== undefined) this.#put(path, tree, 'old');
  }

  /** Puts items behind those of a list, which is made when it is not there. */
  append(path: Path, items: readonly SettingTree[]): void {
    if (items.length === 0) return;
    const present = partAt(this.root, path);
    if (present?.kind === 'list') {
      present.items.push(...items);
      return;
    }
    const settings = present === undefined ? [] : settingsOf(present);
    this.#set(path, { kind: 'list', items: [...items], settings });
  }

  /** Puts a value of the conversion's own, for these settings or for none. */
  give(path: Path, value: Json, settings: readonly Setting[] = []): void {
    this.#put(path, given(value, settings), 'new');
  }

  /** What is at a path. */
  peek(...path: Path): Json | undefined {
    const part = partAt(this.root, path);
    return part === undefined ? undefined : jsonOf(part);
  }

  #put(path: Path, tree: SettingTree, winner: 'new' | 'old'): void {
    const parent = this.#parentOf(path);
    const key = String(path.at(-1));
    const present = parent.fields.get(key);
    parent.fields.set(key, present === undefined ? tree : this.#merge(present, tree, winner));
  }

  #set(path: Path, tree: SettingTree): void {
    this.#parentOf(path).fields.set(String(path.at(-1)), tree);
  }

  /** The object that holds the place, made when it is not there. */
  #parentOf(path: Path): ObjectTree {
    let parent = this.root;
    for (const step of path.slice(0, -1)) {
      const field = String(step);
      const inner = parent.fields.get(field);
      if (inner?.kind === 'object') {
        parent = inner;
        continue;
      }
      const made: ObjectTree = { kind: 'object', fields: new Map(), settings: [] };
      parent.fields.set(field, inner === undefined ? made : this.#merge(inner, made, 'new'));
      parent = parent.fields.get(field) as ObjectTree;
    }
    return parent;
  }

  #merge(old: SettingTree, add: SettingTree, winner: 'new' | 'old'): SettingTree {
    if (old.kind === 'object' && add.kind === 'object') {
      for (const [key, inner] of add.fields) {
        const present = old.fields.get(key);
        old.fields.set(key, present === undefined ? inner : this.#merge(present, inner, winner));
      }
      old.settings = [...old.settings, ...add.settings];
      return old;
    }
    if (isEmptyObject(old) && add.kind === 'object') {
      return { ...add, settings: [...settingsOf(old), ...add.settings] };
    }
    if (isEmptyObject(add) && old.kind === 'object') {
      old.settings = [...old.settings, ...settingsOf(add)];
      return old;
    }
    if (stableJson(jsonOf(old)) === stableJson(jsonOf(add))) return bothOf(old, add);
    const [wins, loses] = winner === 'new' ? [add, old] : [old, add];
    const [first] = settingsOf(wins);
    const name = first === undefined ? 'another setting' : pathText(first.path);
    this.#ledger.loseTo(name, loses);
    return wins;
  }
}

function isEmptyObject(tree: SettingTree): boolean {
  return tree.kind === 'leaf' && stableJson(tree.value) === '{}';
}

/** Two trees of one value: each leaf comes from the settings of both. */
function bothOf(first: SettingTree, second: SettingTree): SettingTree {
  if (first.kind === 'leaf' && second.kind === 'leaf') {
    return { ...first, settings: [...first.settings, ...second.settings] };
  }
  if (first.kind === 'list' && second.kind === 'list') {
    const items = first.items.map((item, index) => bothOf(item, second.items[index] ?? item));
    return { kind: 'list', items, settings: [...first.settings, ...second.settings] };
  }
  return first;
}
