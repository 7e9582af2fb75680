import type { KubernetesObject, ManagedFieldsEntry } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import { type Claims, isLeafClaim } from '../diff/field-claims.ts';

/** Whose fields of an object become whose. */
export interface FieldTakeOver {
  /** Field managers that lose what they own. */
  readonly from: readonly string[];
  /** The field manager that has applied it afterwards. */
  readonly to: string;
  /** What they keep: `spec.template`, with all below. */
  readonly except?: readonly string[];
  /** What nobody owns afterwards, so that it stays as it is whatever `to` applies. */
  readonly release?: readonly string[];
}

/**
 * The object's `metadata.managedFields` after a take-over; undefined when there is nothing to take. Only then does the
 * next apply of `to` remove what these managers had set and it does not want. Entries of subresources and of other API
 * versions stay as they are. Pure.
 */
export function takeOverFields(
  { apiVersion, metadata }: KubernetesObject,
  { from, to, except = [], release = [] }: FieldTakeOver,
): ManagedFieldsEntry[] | undefined {
  const kept: ManagedFieldsEntry[] = [];
  let taken: Claims | undefined;
  let time: string | undefined;
  for (const entry of metadata.managedFields ?? []) {
    const isTaken =
      entry.manager !== to &&
      from.includes(entry.manager) &&
      (entry.subresource ?? '') === '' &&
      entry.apiVersion === apiVersion;
    const { inside, outside } = isTaken
      ? splitClaims(entry.fieldsV1 ?? {}, except.map(stepsOf))
      : { inside: entry.fieldsV1, outside: undefined };
    if (outside === undefined) {
      kept.push(entry);
      continue;
    }
    taken = mergeClaims(taken ?? {}, splitClaims(outside, release.map(stepsOf)).outside ?? {});
    time ??= entry.time;
    if (inside !== undefined) kept.push({ ...entry, fieldsV1: inside });
  }
  if (taken === undefined) return undefined;
  const own = kept.find(
    (entry) => entry.manager === to && entry.operation === 'Apply' && (entry.subresource ?? '') === '',
  );
  const merged: ManagedFieldsEntry = {
    ...(own ?? { manager: to, operation: 'Apply', apiVersion, ...(time === undefined ? {} : { time }) }),
    fieldsV1: mergeClaims(own?.fieldsV1 ?? {}, taken),
  };
  return [...kept.filter((entry) => entry !== own), merged];
}

function stepsOf(path: string): string[] {
  return path.split('.').map((field) => `f:${field}`);
}

/** Claims on these paths and those on all others; undefined where there are none. */
function splitClaims(
  claims: Claims,
  paths: readonly (readonly string[])[],
): { readonly inside: Claims | undefined; readonly outside: Claims | undefined } {
  if (paths.length === 0) return { inside: undefined, outside: claims };
  const inside: Record<string, unknown> = {};
  const outside: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(claims)) {
    const below = paths.filter(([first]) => first === key).map((path) => path.slice(1));
    if (below.length === 0 || !isRecord(value)) outside[key] = value;
    else if (below.some((path) => path.length === 0)) inside[key] = value;
    else {
      const parts = splitClaims(value, below);
      if (parts.inside !== undefined) inside[key] = parts.inside;
      if (parts.outside !== undefined) outside[key] = parts.outside;
    }
  }
  return { inside: unlessLeaf(inside), outside: unlessLeaf(outside) };
}

function unlessLeaf(claims: Claims): Claims | undefined {
  return isLeafClaim(claims) ? undefined : claims;
}

function mergeClaims(left: Claims, right: Claims): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const before = merged[key];
    merged[key] = isRecord(before) && isRecord(value) ? mergeClaims(before, value) : value;
  }
  return merged;
}
