import { isRecord } from '../base/stable-json.ts';

/** The texts of a list; none where it is none. What is read of a cluster need not be as its schema says. */
export function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The objects of a list, likewise. */
export function recordsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** An object; an empty one where it is none. */
export function recordIn(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
