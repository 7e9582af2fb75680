import { isRecord } from '../../src/base/stable-json.ts';
import type { PatchOperation } from '../../src/injection/json-patch.ts';

/** The document with a JSON patch applied as RFC 6902 says, strictly: a path that is not there throws. A copy. */
export function applyPatch(document: unknown, patch: readonly PatchOperation[]): unknown {
  let result = structuredClone(document);
  for (const operation of patch) {
    const keys = operation.path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop();
    if (last === undefined) {
      if (operation.op !== 'replace') throw new Error(`${operation.op} of the whole document`);
      result = structuredClone(operation.value);
      continue;
    }
    const parent = keys.reduce<unknown>((value, key) => child(value, key, operation), result);
    change(parent, last, operation);
  }
  return result;
}

function child(value: unknown, key: string, operation: PatchOperation): unknown {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, key)) {
    return (value as Record<string, unknown>)[key];
  }
  throw new Error(`there is nothing at ${operation.path}`);
}

function change(parent: unknown, key: string, operation: PatchOperation): void {
  const value = operation.op === 'remove' ? undefined : structuredClone(operation.value);
  if (Array.isArray(parent)) {
    const index = key === '-' ? parent.length : Number(key);
    const most = operation.op === 'add' ? parent.length : parent.length - 1;
    if (!Number.isInteger(index) || index < 0 || index > most) throw new Error(`no place ${operation.path}`);
    parent.splice(index, operation.op === 'add' ? 0 : 1, ...(operation.op === 'remove' ? [] : [value]));
    return;
  }
  if (!isRecord(parent)) throw new Error(`no object holds ${operation.path}`);
  if (operation.op !== 'add' && !Object.hasOwn(parent, key)) throw new Error(`nothing at ${operation.path}`);
  if (operation.op === 'remove') delete parent[key];
  else Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}
