import { load } from 'js-yaml';
import { matchesLeafPattern } from '../../api/leaf-pattern.ts';
import {
  type IndexStep,
  type ItemStep,
  type KeyStep,
  type OverlayStep,
  overlayPathText,
} from '../../api/overlay-path.ts';
import { setOwn } from '../../base/set-own.ts';
import { isRecord } from '../../base/stable-json.ts';

/** Why a patch cannot be made, as a sentence that follows its path. */
export class PatchError extends Error {}

/**
 * Makes one patch of an overlay, in place: puts a copy of the value where the path leads, or takes away what is there when
 * the value is undefined. What is missing on the way is made, except an item of a list that is named by what it holds.
 * Throws PatchError when there is no such place; the object may then be half patched.
 */
export function patchObject(
  object: Record<string, unknown>,
  steps: readonly OverlayStep[],
  value: unknown,
): void {
  let holder: unknown = object;
  for (const [at, step] of steps.entries()) {
    const place = at === 0 ? 'the object' : overlayPathText(steps.slice(0, at));
    const next = steps[at + 1];
    if (next !== undefined) holder = enter(holder, step, { place, next, isRemoval: value === undefined });
    else if (value === undefined) remove(holder, step, place);
    else put(holder, step, place, meantBy(value, currentValue(holder, step), steps[at - 1]));
  }
}

interface Way {
  /** The path of what is entered from, for messages. */
  readonly place: string;
  readonly next: OverlayStep;
  readonly isRemoval: boolean;
}

function enter(holder: unknown, step: OverlayStep, { place, next, isRemoval }: Way): unknown {
  const made = next.kind === 'key' ? {} : [];
  if (step.kind === 'key') {
    const object = asObject(holder, step, place);
    const inner = ownValue(object, step.key);
    if (inner !== undefined && inner !== null) return inner;
    if (isRemoval) throw nothingToRemove(place, step);
    if (next.kind === 'item') throw new PatchError(`${place} has no list ${step.text}`);
    setOwn(object, step.key, made);
    return made;
  }
  const list = asList(holder, step, place);
  const index = indexOf(list, step, place);
  if (index < list.length) return list[index];
  if (isRemoval) throw nothingToRemove(place, step);
  list.push(made);
  return made;
}

function put(holder: unknown, step: OverlayStep, place: string, value: unknown): void {
  if (step.kind === 'key') {
    setOwn(asObject(holder, step, place), step.key, structuredClone(value));
    return;
  }
  const list = asList(holder, step, place);
  list[indexOf(list, step, place)] = structuredClone(value);
}

function remove(holder: unknown, step: OverlayStep, place: string): void {
  if (step.kind === 'key') {
    const object = asObject(holder, step, place);
    if (ownValue(object, step.key) === undefined) throw nothingToRemove(place, step);
    delete object[step.key];
    return;
  }
  const list = asList(holder, step, place);
  const index = indexOf(list, step, place);
  if (index >= list.length) throw nothingToRemove(place, step);
  list.splice(index, 1);
}

function nothingToRemove(place: string, step: OverlayStep): PatchError {
  return new PatchError(
    `${place} has no ${step.text}, so that there is nothing to take away: give a value, or remove the patch`,
  );
}

function asObject(holder: unknown, step: KeyStep, place: string): Record<string, unknown> {
  if (isRecord(holder)) return holder;
  if (Array.isArray(holder)) {
    throw new PatchError(`${place} is a list: name an item of it by [key:value] or [0] before ${step.text}`);
  }
  throw new PatchError(`${place} is a value, which has nothing below it: ${step.text} cannot be there`);
}

function asList(holder: unknown, step: IndexStep | ItemStep, place: string): unknown[] {
  if (Array.isArray(holder)) return holder;
  throw new PatchError(`${place} is no list: ${step.text} cannot be an item of it`);
}

/** Where in the list; its length for a place behind the last item. */
function indexOf(list: readonly unknown[], step: IndexStep | ItemStep, place: string): number {
  if (step.kind === 'item') return itemIndex(list, step, place);
  const index = step.index === -1 ? list.length : step.index;
  if (index <= list.length) return index;
  throw new PatchError(
    `${place} has ${list.length} items, and no ${step.text}: write [-1] for behind the last`,
  );
}

function itemIndex(list: readonly unknown[], { field, pattern, text }: ItemStep, place: string): number {
  const index = list.findIndex((item) => {
    if (isRecord(item)) return field !== undefined && textOf(ownValue(item, field.key)) === field.value;
    return pattern !== undefined && matchesLeafPattern(pattern, textOf(item));
  });
  if (index >= 0) return index;
  const hasObjects = list.some(isRecord);
  if (hasObjects && field === undefined) {
    throw new PatchError(`${place} is a list of objects, whose items are named by [key:value], not ${text}`);
  }
  const names =
    hasObjects && field !== undefined ? list.map((item) => nameOf(item, field.key)) : list.map(textOf);
  throw new PatchError(`${place} has no item ${text}; there is ${listed(names)}`);
}

function nameOf(item: unknown, key: string): string {
  const value = isRecord(item) ? ownValue(item, key) : undefined;
  return value === undefined ? `one without ${key}` : `[${key}:${textOf(value)}]`;
}

const mostNames = 12;
const longestName = 60;

/** What there is, for whoever looks for a typing error. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const shown = names
    .slice(0, mostNames)
    .map((name) => (name.length > longestName ? `${name.slice(0, longestName)}...` : name));
  return [...shown, ...(names.length > mostNames ? [`${names.length - mostNames} more`] : [])].join(', ');
}

function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

function ownValue(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function currentValue(holder: unknown, step: OverlayStep): unknown {
  return step.kind === 'key' && isRecord(holder) ? ownValue(holder, step.key) : undefined;
}

/** Maps of texts, in which a text stays one whatever it looks like. */
const textMaps: readonly string[] = ['annotations', 'labels', 'data', 'nodeSelector'];

/**
 * A text with an object in YAML means the object, as in IstioOperator; not where Kubernetes has a text. Aliases are refused,
 * since a small text could mean a huge object by them.
 */
function meantBy(value: unknown, current: unknown, parent: OverlayStep | undefined): unknown {
  if (typeof value !== 'string' || !/: |:\s*\n/.test(value)) return value;
  if (typeof current === 'string' || (parent?.kind === 'key' && textMaps.includes(parent.key))) return value;
  if (isJson(value)) return value;
  try {
    const object: unknown = load(value, { maxAliases: 0 });
    return isRecord(object) ? object : value;
  } catch {
    return value; // no YAML, so it is meant as it is written
  }
}

function isJson(text: string): boolean {
  try {
    return isRecord(JSON.parse(text));
  } catch {
    return false;
  }
}
