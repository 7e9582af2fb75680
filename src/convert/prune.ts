import { pathText } from '../api/problem.ts';
import type { ObjectTree, SettingTree } from './setting-tree.ts';

/** One step from a tree into a part of it. */
interface Step {
  readonly parent: SettingTree;
  readonly key: string | number;
  readonly tree: SettingTree;
}

/** The way from the whole to a part of it; not empty. */
export type Way = readonly Step[];

/** Lists whose items are worth having without the part that is wrong; an item of any other list goes as a whole. */
const divisibleLists = /^(overlays|extensionProviders|[a-zA-Z]+Gateways)$/;

/**
 * The way to what must go for a problem at a path: the part itself or the smallest that is there around it, and with it
 * what makes no sense without it, an item of a list or a kind of affinity. Undefined when the path leads nowhere.
 */
export function wayToFault(root: ObjectTree, path: string): Way | undefined {
  const steps = stepsTo(root, path);
  const unit = steps.findIndex((step, index) => isUnit(step, steps[index - 1]));
  const way = unit < 0 ? steps : steps.slice(0, unit + 1);
  return way.length === 0 ? undefined : way;
}

/** A way as the path of a problem. */
export function wayText(way: Way): string {
  return pathText(way.map(({ key }) => key));
}

/** The part that a way leads to. */
export function partOf(way: Way): SettingTree {
  const last = way.at(-1);
  if (last === undefined) throw new Error('A way leads somewhere');
  return last.tree;
}

/**
 * Removes the part that a way leads to, and every part around it that is empty without it and says nothing when it is
 * empty. What is gone already stays gone.
 */
export function removePart(way: Way): void {
  const last = way.at(-1);
  if (last === undefined) return;
  const { parent, key, tree } = last;
  if (parent.kind === 'list') {
    const index = parent.items.indexOf(tree);
    if (index >= 0) parent.items.splice(index, 1);
  } else if (parent.kind === 'object' && parent.fields.get(String(key)) === tree) {
    parent.fields.delete(String(key));
  }
  const around = way.slice(0, -1);
  if (isEmpty(parent) && !saysSomethingEmpty(around)) removePart(around);
}

function isEmpty(tree: SettingTree): boolean {
  if (tree.kind === 'object') return tree.fields.size === 0;
  return tree.kind === 'list' && tree.items.length === 0;
}

/** The spec; a component, which is turned on by being there; a list of gateways, which replaces that of the profile. */
function saysSomethingEmpty(way: Way): boolean {
  const [, second, third, fourth, ...further] = way.map(({ key }) => key);
  if (second === undefined) return true;
  if (second !== 'components' || third === undefined || further.length > 0) return false;
  return fourth === undefined || typeof fourth === 'number';
}

function isUnit({ parent, key }: Step, before: Step | undefined): boolean {
  if (parent.kind === 'list') return !divisibleLists.test(String(before?.key));
  return before?.key === 'affinity' && typeof key === 'string';
}

/** As far as the path leads. */
function stepsTo(root: ObjectTree, path: string): Step[] {
  const steps: Step[] = [];
  let tree: SettingTree = root;
  let rest = path;
  while (rest !== '') {
    const next = nextStep(tree, rest);
    if (next === undefined) break;
    steps.push({ parent: tree, key: next.key, tree: next.tree });
    tree = next.tree;
    rest = next.rest;
  }
  return steps;
}

interface NextStep {
  readonly key: string | number;
  readonly tree: SettingTree;
  readonly rest: string;
}

function nextStep(tree: SettingTree, text: string): NextStep | undefined {
  if (tree.kind === 'list') {
    const [whole = '', index] = /^\[([0-9]+)\]/.exec(text) ?? [];
    const item = index === undefined ? undefined : tree.items[Number(index)];
    return item === undefined
      ? undefined
      : { key: Number(index), tree: item, rest: text.slice(whole.length) };
  }
  if (tree.kind !== 'object') return undefined;
  let found: NextStep | undefined;
  for (const [key, inner] of tree.fields) {
    for (const form of [key, `.${key}`, `[${JSON.stringify(key)}]`]) {
      const isNext = text.startsWith(form) && /^($|[.[])/.test(text.slice(form.length));
      // The longest key counts: some messages do not quote keys that have dots.
      if (isNext && (found === undefined || key.length > String(found.key).length)) {
        found = { key, tree: inner, rest: text.slice(form.length) };
      }
    }
  }
  return found;
}
