import { pathText } from '../../src/api/problem.ts';
import { isRecord } from '../../src/base/stable-json.ts';

/** A value of a document that has no parts: a scalar, null, an empty object or an empty list. */
export interface Leaf {
  readonly source: string;
  readonly path: string;
  readonly value: unknown;
}

/** Every leaf of a document; those of a List of Kubernetes by its items. */
export function leavesOf(source: string, document: unknown): Leaf[] {
  if (isRecord(document) && document.kind === 'List' && Array.isArray(document.items)) {
    return document.items.flatMap((item, index) => leavesBelow(`${source}.items[${index}]`, [], item));
  }
  return leavesBelow(source, [], document);
}

function leavesBelow(source: string, path: readonly (string | number)[], value: unknown): Leaf[] {
  if (Array.isArray(value) && value.length > 0) {
    return value.flatMap((item, index) => leavesBelow(source, [...path, index], item));
  }
  if (isRecord(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, inner]) => leavesBelow(source, [...path, key], inner));
  }
  return [{ source, path: pathText(path), value }];
}
