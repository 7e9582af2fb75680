import type { ManagedFieldsEntry } from '../../api/kubernetes-object.ts';
import { isRecord, stableJson } from '../../base/stable-json.ts';
import type { PathStep } from './field-path.ts';

/**
 * What one or several writers claim at one place, from `metadata.managedFields` (FieldsV1): keys `f:<field>`,
 * `k:<merge keys as JSON>`, `v:<value>`, `.` for the place itself. A claim without further keys covers all below.
 */
export type Claims = Readonly<Record<string, unknown>>;

/** What `fieldManager` has applied; undefined when it never has (or with another API version only). */
export function appliedClaims(
  entries: readonly ManagedFieldsEntry[] | undefined,
  fieldManager: string,
  apiVersion: string,
): Claims | undefined {
  return entries?.find(
    (entry) =>
      entry.manager === fieldManager &&
      entry.operation === 'Apply' &&
      (entry.subresource ?? '') === '' &&
      entry.apiVersion === apiVersion,
  )?.fieldsV1;
}

/** The claims below one step; undefined when there are none. */
export function claimsBelow(claims: Claims | undefined, step: PathStep): Claims | undefined {
  if (claims === undefined) return undefined;
  if ('field' in step) return asClaims(claims[`f:${step.field}`]);
  if (!('item' in step)) return asClaims(claims[`i:${step.index}`]);
  const wanted = stableJson(step.item);
  const direct = claims[`k:${wanted}`];
  if (direct !== undefined) return asClaims(direct);
  // The server escapes more characters than we do; only then the same merge keys have another text.
  const key = Object.keys(claims).find((name) => name.includes('\\') && mergeKeysText(name) === wanted);
  return key === undefined ? undefined : asClaims(claims[key]);
}

/** The fields claimed at this place, without `f:`. */
export function claimedFields(claims: Claims): string[] {
  return Object.keys(claims)
    .filter((key) => key.startsWith('f:'))
    .map((key) => key.slice(2));
}

/** The list items claimed at this place: their merge keys. */
export function claimedItems(claims: Claims): Record<string, unknown>[] {
  return Object.keys(claims)
    .filter((key) => key.startsWith('k:'))
    .map((key) => JSON.parse(key.slice(2)) as Record<string, unknown>);
}

/** The values claimed in a set. */
export function claimedValues(claims: Claims): unknown[] {
  return Object.keys(claims)
    .filter((key) => key.startsWith('v:'))
    .map((key): unknown => JSON.parse(key.slice(2)));
}

/** True when the claim is on the value as a whole. */
export function isLeafClaim(claims: Claims): boolean {
  return Object.keys(claims).length === 0;
}

/**
 * The writer other than `fieldManager` that claims the place, or something below it; undefined when nobody does.
 * Of several the one that wrote last.
 */
export function claimantOf(
  entries: readonly ManagedFieldsEntry[] | undefined,
  fieldManager: string,
  steps: readonly PathStep[],
): string | undefined {
  let latest: ManagedFieldsEntry | undefined;
  for (const entry of entries ?? []) {
    if (entry.manager === fieldManager || !claimsPlace(entry.fieldsV1, steps)) continue;
    if (latest === undefined || (entry.time ?? '') >= (latest.time ?? '')) latest = entry;
  }
  return latest?.manager;
}

function claimsPlace(claims: Claims | undefined, steps: readonly PathStep[]): boolean {
  let below = claims;
  for (const step of steps) {
    if (below === undefined) return false;
    // A claim on the whole covers what is inside.
    if (isLeafClaim(below)) return true;
    below = claimsBelow(below, step);
  }
  return below !== undefined;
}

function mergeKeysText(key: string): string {
  return key.startsWith('k:') ? stableJson(JSON.parse(key.slice(2))) : '';
}

function asClaims(value: unknown): Claims | undefined {
  return isRecord(value) ? value : undefined;
}
