import type { Json, JsonObject } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';

/**
 * A container or volume as the API server hands it back: with the defaults that it writes into lists of ours, and without
 * the zeros of probes that it leaves out. Anything else would look like drift with each pass.
 */
export function withServerDefaults(part: object): JsonObject {
  const complete = withDefaults(part as JsonObject) as JsonObject;
  return Object.keys(part).join() === 'name' ? { ...complete, emptyDir: {} } : complete;
}

function withDefaults(value: Json, key?: string): Json {
  if (Array.isArray(value)) return value.map((item) => withDefaults(item));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value as JsonObject).map(([name, inner]) => [
    name,
    withDefaults(inner, name),
  ]);
  const complete = Object.fromEntries(entries) as JsonObject;
  if (key === 'fieldRef') return { apiVersion: 'v1', ...complete };
  return key?.endsWith('Probe') === true ? withoutZeros(complete) : complete;
}

function withoutZeros(probe: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(probe).filter(([, value]) => value !== 0));
}
