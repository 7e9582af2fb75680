import { isRecord, stableJson } from '../base/stable-json.ts';
import type { FieldChange } from './object-change.ts';

/** Where two values differ, field by field; lists are compared as a whole. */
export function specChanges(from: unknown, to: unknown, path: string): FieldChange[] {
  if (isRecord(from) && isRecord(to)) {
    const fields = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
    return fields.flatMap((field) => specChanges(from[field], to[field], `${path}.${field}`));
  }
  if (stableJson(from ?? null) === stableJson(to ?? null)) return [];
  return [{ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
}
