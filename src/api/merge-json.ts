import { isRecord } from '../base/stable-json.ts';
import type { Json, JsonObject } from './resolved-mesh.ts';

/**
 * Merges objects key by key, the later ones winning; lists and scalars are replaced as a whole, as Helm does.
 * A null removes the key. Inputs stay as they are.
 */
export function mergeJson(...layers: readonly (JsonObject | undefined)[]): JsonObject {
  const merged: JsonObject = {};
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer ?? {})) {
      if (value === null) {
        delete merged[key];
        continue;
      }
      const before = merged[key];
      // Defined rather than assigned, so that a key named __proto__ stays a key.
      Object.defineProperty(merged, key, {
        value: isRecord(value)
          ? mergeJson(isRecord(before) ? (before as JsonObject) : {}, value)
          : clone(value),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
  return merged;
}

function clone(value: Json): Json {
  return structuredClone(value);
}
