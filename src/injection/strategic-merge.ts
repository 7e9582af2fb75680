import { setOwn } from '../base/set-own.ts';
import { isRecord } from '../base/stable-json.ts';

/** Lists of a pod that Kubernetes merges item by item, and the field that tells items apart. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  env: 'name',
  ports: 'containerPort',
  volumes: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
  resourceClaims: 'name',
  schedulingGates: 'name',
  ownerReferences: 'uid',
};

/** The field that tells items of a list of a pod apart; undefined for a list that is replaced as a whole. */
export function mergeKeyOf(field: string): string | undefined {
  return Object.hasOwn(mergeKeys, field) ? mergeKeys[field] : undefined;
}

/**
 * The target with a patch merged onto it as Kubernetes' strategic merge does: objects key by key, keyed lists item
 * by item (items that the target does not have go to the end), other lists and scalars replaced, null takes a key
 * away; `$patch: replace` and `$patch: delete` are honoured. Both stay as they are; the result shares parts with them.
 */
export function strategicMerge(target: object, patch: object): Record<string, unknown> {
  if (directiveOf(patch) === 'replace') return withoutDirectives(patch);
  const merged: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
    if (value === null || (isRecord(value) && directiveOf(value) === 'delete')) delete merged[key];
    else setOwn(merged, key, mergeValue(key, before, value));
  }
  return merged;
}

function mergeValue(field: string, before: unknown, patch: unknown): unknown {
  if (before === undefined && isWhole(field, patch)) return patch;
  if (isRecord(patch)) return strategicMerge(isRecord(before) ? before : {}, patch);
  if (!Array.isArray(patch)) return patch;
  const mergeKey = mergeKeyOf(field);
  if (mergeKey === undefined || !patch.every(isRecord)) return patch;
  return mergeList(mergeKey, Array.isArray(before) ? before : [], patch);
}

/** True when merging a value onto nothing gives the value itself: it holds no directive, no null and no key twice. */
function isWhole(field: string, value: unknown): boolean {
  if (isRecord(value)) return isWholeRecord(value);
  const mergeKey = Array.isArray(value) ? mergeKeyOf(field) : undefined;
  if (!Array.isArray(value) || mergeKey === undefined || !value.every(isRecord)) return true;
  const keys = new Set<unknown>();
  for (const item of value) {
    const key = item[mergeKey];
    if (keys.has(key) || !isWholeRecord(item)) return false;
    if (key !== undefined) keys.add(key);
  }
  return true;
}

function isWholeRecord(record: Record<string, unknown>): boolean {
  for (const key of Object.keys(record)) {
    const value = record[key];
    if (value === null || key.startsWith('$')) return false;
    if (typeof value === 'object' && !isWhole(key, value)) return false;
  }
  return true;
}

function mergeList(
  mergeKey: string,
  before: readonly unknown[],
  patch: readonly Record<string, unknown>[],
): unknown[] {
  const isReplaced = patch.some((item) => directiveOf(item) === 'replace' && item[mergeKey] === undefined);
  const merged: unknown[] = isReplaced ? [] : [...before];
  const places = new Map<unknown, number>();
  merged.forEach((item, at) => {
    // The first of several with one key is the one that Kubernetes merges onto.
    if (isRecord(item) && !places.has(item[mergeKey])) places.set(item[mergeKey], at);
  });
  const deleted = new Set<number>();
  for (const item of patch) {
    const key = item[mergeKey];
    if (key === undefined && directiveOf(item) !== undefined) continue;
    const at = key === undefined ? undefined : places.get(key);
    if (directiveOf(item) === 'delete') {
      if (at !== undefined) deleted.add(at);
    } else if (at === undefined) {
      places.set(key, merged.length);
      merged.push(isWholeRecord(item) ? item : strategicMerge({}, item));
    } else merged[at] = strategicMerge(merged[at] as Record<string, unknown>, item);
  }
  return merged.filter((_, at) => !deleted.has(at));
}

function directiveOf(patch: object): unknown {
  return Object.hasOwn(patch, '$patch') ? (patch as Record<string, unknown>).$patch : undefined;
}

function withoutDirectives(patch: object): Record<string, unknown> {
  const { $patch: _directive, ...rest } = patch as Record<string, unknown>;
  return strategicMerge({}, rest);
}
