import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import { seededFields } from '../diff/closed-fields.ts';

/** A copy without fields that are null: server-side apply would own them, although they mean "not set". */
export function withoutNulls(object: KubernetesObject): KubernetesObject {
  return prune(object) as KubernetesObject;
}

function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prune);
  if (!isRecord(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [field, inner] of Object.entries(value)) {
    if (inner !== null && inner !== undefined) kept[field] = prune(inner);
  }
  return kept;
}

/**
 * The desired object with the observed values of seeded fields (`seededFields`): they were ours to choose at
 * creation only. Items of lists are found by name. Changes `desired`, which must be the caller's own copy.
 */
export function seedFromObserved(desired: KubernetesObject, observed: KubernetesObject): KubernetesObject {
  for (const pattern of seededFields[desired.kind] ?? []) seed(desired, observed, pattern.split('.'));
  return desired;
}

function seed(desired: unknown, observed: unknown, pattern: readonly string[]): void {
  const [step, ...rest] = pattern;
  if (step === undefined || !isRecord(desired) || !isRecord(observed)) return;
  if (rest.length === 0) {
    if (desired[step] !== undefined && observed[step] !== undefined) desired[step] = observed[step];
    return;
  }
  const field = step.replace(/\[\]$/, '');
  if (field === step) {
    seed(desired[field], observed[field], rest);
    return;
  }
  const found = Array.isArray(observed[field]) ? observed[field].filter(isRecord) : [];
  for (const item of Array.isArray(desired[field]) ? desired[field].filter(isRecord) : []) {
    const match = found.find(({ name }) => name === item.name);
    seed(item, match, rest);
  }
}
