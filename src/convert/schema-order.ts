import type { Json, JsonObject } from '../api/resolved-mesh.ts';
import { fieldsAt } from '../api/validation/schema-field.ts';
import { isRecord } from '../base/stable-json.ts';
import type { Path } from './setting-tree.ts';

/** A part of a MeshOperator with its fields in the order of the schema; keys of maps keep theirs. */
export function inSchemaOrder(value: Json, path: Path): Json {
  if (Array.isArray(value)) return value.map((item, index) => inSchemaOrder(item, [...path, index]));
  if (!isRecord(value)) return value;
  const object = value as JsonObject;
  const known = fieldsAt(path).filter((field) => Object.hasOwn(object, field));
  const others = Object.keys(object).filter((field) => !known.includes(field));
  // fromEntries defines keys, so that one named __proto__ stays a key.
  return Object.fromEntries(
    [...known, ...others].map((field) => [field, inSchemaOrder(object[field] ?? null, [...path, field])]),
  );
}
