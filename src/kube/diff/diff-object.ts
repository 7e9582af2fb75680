import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { areEqualQuantities } from '../../api/quantity.ts';
import { isRecord, stableJson } from '../../base/stable-json.ts';
import { type ClosedFields, closedFields as defaultClosedFields, seededFields } from './closed-fields.ts';
import type { Drift } from './drift.ts';
import {
  appliedClaims,
  type Claims,
  claimantOf,
  claimedFields,
  claimedItems,
  claimedValues,
  claimsBelow,
  isLeafClaim,
} from './field-claims.ts';
import { FieldPath, type PathStep } from './field-path.ts';
import { type ListRule, listRuleAt } from './list-schema.ts';

export interface DiffOptions {
  /** Our name in `metadata.managedFields`. */
  readonly fieldManager: string;
  /** Default: the table in `closed-fields.ts`. */
  readonly closedFields?: ClosedFields;
}

/**
 * Where `observed` is not what `desired` asks for; empty when applying it would change nothing. Pure.
 *
 * Compares the fields of `desired` alone, so what the API server fills in and what others own is no drift, but for
 * additions to closed fields. Fields that we applied once and that are gone from `desired` are drift too, as are
 * fields whose ownership somebody took. Needs the observed object's `metadata.managedFields`.
 * `null` in `desired` means: not set.
 */
export function diffObject(
  desired: KubernetesObject,
  observed: KubernetesObject,
  options: DiffOptions,
): Drift[] {
  const diff = new ObjectDiff(desired.kind, observed, options);
  const claims =
    appliedClaims(observed.metadata.managedFields, options.fieldManager, desired.apiVersion) ?? noClaims;
  diff.compareObject(withoutServerFields(desired), withoutServerFields(observed), { ...rootPlace, claims });
  return diff.drifts;
}

/** Where the comparison stands. */
interface Place {
  readonly path: FieldPath;
  /** The path without merge keys and indexes: `spec.containers[].env`. */
  readonly pattern: string;
  /** What we claim here; `covered` when we claim something around it as a whole; undefined when we claim nothing. */
  readonly claims: Claims | 'covered' | undefined;
}

const noClaims: Claims = {};
const rootPlace = { path: FieldPath.root, pattern: '' };

class ObjectDiff {
  readonly drifts: Drift[] = [];
  readonly #kind: string;
  readonly #observedRoot: KubernetesObject;
  readonly #fieldManager: string;
  readonly #closed: ReadonlySet<string>;
  readonly #seeded: ReadonlySet<string>;

  constructor(kind: string, observed: KubernetesObject, options: DiffOptions) {
    this.#kind = kind;
    this.#observedRoot = observed;
    this.#fieldManager = options.fieldManager;
    this.#closed = new Set((options.closedFields ?? defaultClosedFields)[kind] ?? []);
    this.#seeded = new Set(seededFields[kind] ?? []);
  }

  compareObject(desired: Record<string, unknown>, observed: Record<string, unknown>, place: Place): void {
    for (const [field, value] of Object.entries(desired)) {
      if (!isAbsent(value)) this.#compare(value, observed[field], inField(place, field));
    }
    this.#findAbandonedFields(desired, observed, place);
    this.#findExtraFields(desired, observed, place);
  }

  #compare(desired: unknown, observed: unknown, place: Place): void {
    if (isAbsent(observed)) {
      if (!isLeftOut(desired, place)) this.#add('missing', place, { desired });
    } else if (isRecord(desired) && isRecord(observed)) {
      this.compareObject(desired, observed, place);
    } else if (Array.isArray(desired) && Array.isArray(observed)) {
      this.#compareList(desired, observed, place);
    } else if (!areEqualScalars(desired, observed, place.pattern)) {
      this.#add('changed', place, { desired, observed });
    } else {
      this.#checkOwned(desired, observed, place);
    }
  }

  #compareList(desired: readonly unknown[], observed: readonly unknown[], place: Place): void {
    const rule = listRuleAt(this.#kind, place.pattern);
    if (rule.type === 'map') this.#compareListMap(rule, desired, observed, place);
    else if (rule.type === 'set') this.#compareSet(desired, observed, place);
    else if (!isSubset(desired, observed, place.pattern)) this.#add('changed', place, { desired, observed });
    else this.#checkOwned(desired, observed, place);
  }

  #compareListMap(
    rule: ListRule & { readonly type: 'map' },
    desired: readonly unknown[],
    observed: readonly unknown[],
    place: Place,
  ): void {
    const wanted = new Set<string>();
    const byKeys = new Map(observed.map((item, index) => [keysText(rule, item), { item, index }]));
    for (const item of desired) {
      const text = keysText(rule, item);
      wanted.add(text);
      const match = byKeys.get(text);
      const itemPlace = inItem(place, mergeKeysOf(rule, item), match?.index ?? observed.length);
      this.#compare(item, match?.item, itemPlace);
    }
    this.#findAbandonedItems(rule, wanted, byKeys, place);
    for (const [text, { item, index }] of byKeys) {
      if (!wanted.has(text))
        this.#findExtra(item, inItem(place, mergeKeysOf(rule, item), index), place.pattern);
    }
  }

  #compareSet(desired: readonly unknown[], observed: readonly unknown[], place: Place): void {
    const missing = desired.filter((value) => !observed.includes(value));
    if (missing.length > 0) this.#add('missing', place, { desired: missing });
    const claimed = isClaims(place.claims) ? claimedValues(place.claims) : [];
    const abandoned = claimed.filter((value) => observed.includes(value) && !desired.includes(value));
    if (abandoned.length > 0) this.#add('abandoned', place, { observed: abandoned });
  }

  /** A value that is right but was written by somebody else: the next apply takes it back, unless it may be theirs. */
  #checkOwned(desired: unknown, observed: unknown, place: Place): void {
    if (this.#seeded.has(place.pattern)) return;
    if (place.claims === undefined && !isEmpty(desired)) this.#add('changed', place, { desired, observed });
  }

  #findAbandonedFields(
    desired: Record<string, unknown>,
    observed: Record<string, unknown>,
    place: Place,
  ): void {
    if (!isClaims(place.claims)) return;
    for (const field of claimedFields(place.claims)) {
      if (!isAbsent(desired[field]) || isAbsent(observed[field])) continue;
      this.#add('abandoned', inField(place, field), { observed: observed[field] });
    }
  }

  #findAbandonedItems(
    rule: ListRule & { readonly type: 'map' },
    wanted: ReadonlySet<string>,
    observed: ReadonlyMap<string, { readonly item: unknown; readonly index: number }>,
    place: Place,
  ): void {
    if (!isClaims(place.claims)) return;
    for (const item of claimedItems(place.claims)) {
      const text = keysText(rule, item);
      const match = observed.get(text);
      if (wanted.has(text) || match === undefined) continue;
      this.#add('abandoned', inItem(place, item, match.index), { observed: match.item });
    }
  }

  #findExtraFields(desired: Record<string, unknown>, observed: Record<string, unknown>, place: Place): void {
    for (const [field, value] of Object.entries(observed)) {
      if (!isAbsent(desired[field])) continue;
      const fieldPlace = inField(place, field);
      // Either the map is closed to further keys, or the field is closed as such and we set none of it.
      const closed = this.#closed.has(place.pattern) ? place.pattern : fieldPlace.pattern;
      this.#findExtra(value, fieldPlace, closed);
    }
  }

  #findExtra(observed: unknown, place: Place, closedPattern: string): void {
    if (!this.#closed.has(closedPattern) || isEmpty(observed)) return;
    const manager = this.#claimant(place);
    // Ours alone: abandoned, and gone with the next apply.
    if (place.claims !== undefined && manager === undefined) return;
    this.drifts.push({
      path: place.path.text,
      pointer: place.path.pointer,
      kind: 'extra',
      ...(this.#isSecret ? {} : { observed }),
      ...(manager === undefined ? {} : { manager }),
    });
  }

  #add(kind: Drift['kind'], place: Place, values: Pick<Drift, 'desired' | 'observed'>): void {
    const manager = kind === 'missing' || kind === 'abandoned' ? undefined : this.#claimant(place);
    this.drifts.push({
      path: place.path.text,
      ...(kind === 'abandoned' ? { pointer: place.path.pointer } : {}),
      kind,
      ...(this.#isSecret ? {} : values),
      ...(manager === undefined ? {} : { manager }),
    });
  }

  get #isSecret(): boolean {
    return this.#kind === 'Secret';
  }

  #claimant(place: Place): string | undefined {
    return claimantOf(this.#observedRoot.metadata.managedFields, this.#fieldManager, place.path.steps);
  }
}

/** What a client may wish for: everything but what the API server alone writes, and but status. */
function withoutServerFields(object: KubernetesObject): Record<string, unknown> {
  const { apiVersion: _apiVersion, kind: _kind, metadata, status: _status, ...rest } = object;
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  return { ...rest, metadata: { labels, annotations, finalizers, ownerReferences } };
}

function inField(place: Place, field: string): Place {
  return {
    path: place.path.child({ field }),
    pattern: place.pattern === '' ? field : `${place.pattern}.${field}`,
    claims: below(place.claims, { field }),
  };
}

function inItem(place: Place, item: Record<string, unknown>, index: number): Place {
  const step = { item, index };
  return { path: place.path.child(step), pattern: `${place.pattern}[]`, claims: below(place.claims, step) };
}

function below(claims: Place['claims'], step: PathStep): Place['claims'] {
  if (!isClaims(claims)) return claims;
  if (claims !== noClaims && isLeafClaim(claims)) return 'covered';
  return claimsBelow(claims, step);
}

function isClaims(claims: Place['claims']): claims is Claims {
  return claims !== undefined && claims !== 'covered';
}

function mergeKeysOf(rule: ListRule & { readonly type: 'map' }, item: unknown): Record<string, unknown> {
  const record = isRecord(item) ? item : {};
  const keys: Record<string, unknown> = {};
  for (const key of rule.keys) {
    const value = record[key] ?? rule.defaults?.[key];
    if (value !== undefined) keys[key] = value;
  }
  return keys;
}

function keysText(rule: ListRule & { readonly type: 'map' }, item: unknown): string {
  return stableJson(mergeKeysOf(rule, item));
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/**
 * True for an empty value that is not stored because the API server leaves it out (omitempty): then we own it all the
 * same, but for an empty list, which nobody can own. When somebody removed the value, nobody owns it any more.
 */
function isLeftOut(desired: unknown, place: Place): boolean {
  return isEmpty(desired) && (Array.isArray(desired) || place.claims !== undefined);
}

/** True for what `omitempty` leaves out, and for objects that hold nothing else. */
function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isRecord(value)) return Object.values(value).every(isEmpty);
  return isAbsent(value) || value === '' || value === 0 || value === false;
}

/** True when everything desired is in `observed`, lists item by item. For what has one owner as a whole. */
function isSubset(desired: unknown, observed: unknown, pattern: string): boolean {
  if (isAbsent(observed)) return isEmpty(desired);
  if (Array.isArray(desired)) {
    return (
      Array.isArray(observed) &&
      desired.length === observed.length &&
      desired.every((item, index) => isSubset(item, observed[index], `${pattern}[]`))
    );
  }
  if (isRecord(desired)) {
    return (
      isRecord(observed) &&
      Object.entries(desired).every(
        ([field, value]) => isAbsent(value) || isSubset(value, observed[field], `${pattern}.${field}`),
      )
    );
  }
  return areEqualScalars(desired, observed, pattern);
}

/** Places whose text the API server rewrites to its canonical form. */
const quantityPattern =
  /(^|\.)((limits|requests|hard|capacity)\.[^.]+|sizeLimit|divisor|averageValue|target\.value)$/;

function areEqualScalars(desired: unknown, observed: unknown, pattern: string): boolean {
  return desired === observed || (quantityPattern.test(pattern) && areEqualQuantities(desired, observed));
}
