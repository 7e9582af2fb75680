import type { KubernetesObject, ManagedFieldsEntry } from '../../src/api/kubernetes-object.ts';
import { isRecord, stableJson } from '../../src/base/stable-json.ts';
import { listRuleAt } from '../../src/kube/diff/list-schema.ts';

/** `desired` as the API server holds it after `manager` has applied it: with its claims on every field. */
export function appliedObject(desired: KubernetesObject, manager: string): KubernetesObject {
  const { apiVersion, kind, metadata, ...rest } = structuredClone(desired);
  const { name: _name, namespace: _namespace, ...ownable } = metadata;
  const entry: ManagedFieldsEntry = {
    manager,
    operation: 'Apply',
    apiVersion,
    fieldsV1: claimsOf(kind, { metadata: ownable, ...rest }, ''),
  };
  return {
    apiVersion,
    kind,
    metadata: { ...metadata, resourceVersion: '1', managedFields: [entry] },
    ...rest,
  };
}

/** A further claim by another writer with an ordinary update. */
export function updateClaim(manager: string, fieldsV1: Record<string, unknown>): ManagedFieldsEntry {
  return { manager, operation: 'Update', apiVersion: 'v1', time: '2026-01-01T00:00:00Z', fieldsV1 };
}

function claimsOf(kind: string, value: unknown, pattern: string): Record<string, unknown> {
  if (isRecord(value)) {
    const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return Object.fromEntries(
      fields.map(([field, inner]) => [
        `f:${field}`,
        claimsOf(kind, inner, pattern === '' ? field : `${pattern}.${field}`),
      ]),
    );
  }
  const rule = Array.isArray(value) ? listRuleAt(kind, pattern) : undefined;
  if (!Array.isArray(value) || rule === undefined || rule.type === 'atomic') return {};
  if (rule.type === 'set') return Object.fromEntries(value.map((item) => [`v:${JSON.stringify(item)}`, {}]));
  return Object.fromEntries(
    value.filter(isRecord).map((item) => {
      const keys = rule.keys
        .map((key) => [key, item[key] ?? rule.defaults?.[key]])
        .filter(([, key]) => key !== undefined);
      return [
        `k:${stableJson(Object.fromEntries(keys))}`,
        { '.': {}, ...claimsOf(kind, item, `${pattern}[]`) },
      ];
    }),
  );
}
