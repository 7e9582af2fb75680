import { isRecord } from '../base/stable-json.ts';
import { mergeKeyOf } from './strategic-merge.ts';

/** One operation of a JSON patch (RFC 6902), as far as we need them. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/**
 * A JSON patch that turns `before` into `after`; empty when they are equal. Items of keyed lists of a pod are
 * changed, added and removed one by one; any other list that differs is replaced. What both share is not looked into.
 */
export function diffJson(before: unknown, after: unknown): PatchOperation[] {
  const operations: PatchOperation[] = [];
  diffValue(before, after, '', '', operations);
  return operations;
}

function diffValue(
  before: unknown,
  after: unknown,
  path: string,
  field: string,
  operations: PatchOperation[],
): void {
  if (before === after) return;
  if (isRecord(before) && isRecord(after)) diffRecords(before, after, path, operations);
  else if (Array.isArray(before) && Array.isArray(after)) diffLists(before, after, path, field, operations);
  else operations.push({ op: 'replace', path, value: after });
}

function diffRecords(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  path: string,
  operations: PatchOperation[],
): void {
  for (const key of Object.keys(before)) {
    if (!isPresent(after, key)) operations.push({ op: 'remove', path: `${path}/${escaped(key)}` });
  }
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const inner = `${path}/${escaped(key)}`;
    if (!isPresent(before, key)) operations.push({ op: 'add', path: inner, value });
    else diffValue(before[key], value, inner, key, operations);
  }
}

/** A key whose value is undefined is not there: JSON has no such thing. */
function isPresent(record: Record<string, unknown>, key: string): boolean {
  return Object.hasOwn(record, key) && record[key] !== undefined;
}

function diffLists(
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
  field: string,
  operations: PatchOperation[],
): void {
  const steps = listSteps(before, after, path, mergeKeyOf(field));
  if (steps === undefined) {
    if (!isEqual(before, after)) operations.push({ op: 'replace', path, value: after });
  } else operations.push(...steps);
}

/**
 * Walks both lists from the left, so that each index is that of the list as patched so far. Undefined when items
 * cannot be told apart, or stand in another order: then the list is replaced.
 */
function listSteps(
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
  mergeKey: string | undefined,
): PatchOperation[] | undefined {
  const [old, wanted] = [keysOf(before, mergeKey), keysOf(after, mergeKey)];
  if (old === undefined || wanted === undefined) return undefined;
  const steps: PatchOperation[] = [];
  const [kept, known] = [new Set(wanted), new Set(old)];
  let from = 0;
  for (let to = 0; to < after.length || from < before.length; ) {
    const at = `${path}/${to}`;
    if (from < before.length && !kept.has(old[from])) {
      steps.push({ op: 'remove', path: at });
      from += 1;
    } else if (to < after.length && !known.has(wanted[to])) {
      steps.push({ op: 'add', path: at, value: after[to] });
      to += 1;
    } else if (from < before.length && to < after.length && old[from] === wanted[to]) {
      diffValue(before[from], after[to], at, '', steps);
      [from, to] = [from + 1, to + 1];
    } else return undefined;
  }
  return steps;
}

/** What identifies each item; undefined unless every item has a key of its own. */
function keysOf(list: readonly unknown[], mergeKey: string | undefined): unknown[] | undefined {
  if (mergeKey === undefined) return undefined;
  const keys = list.map((item) => (isRecord(item) ? item[mergeKey] : undefined));
  return keys.includes(undefined) || new Set(keys).size < keys.length ? undefined : keys;
}

/** True for equal JSON. */
export function isEqual(left: unknown, right: unknown): boolean {
  return differs(left, right) === false;
}

function differs(left: unknown, right: unknown): boolean {
  if (left === right) return false;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length !== right.length || left.some((item, index) => differs(item, right[index]));
  }
  if (!isRecord(left) || !isRecord(right)) return true;
  const keys = Object.keys(left);
  return (
    keys.length !== Object.keys(right).length ||
    keys.some((key) => !Object.hasOwn(right, key) || differs(left[key], right[key]))
  );
}

function escaped(key: string): string {
  const isPlain = !key.includes('/') && !key.includes('~');
  return isPlain ? key : key.replaceAll('~', '~0').replaceAll('/', '~1');
}
