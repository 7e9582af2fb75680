import { isRecord } from '../../base/stable-json.ts';

/** A webhook as a MutatingWebhookConfiguration has it, without its `caBundle`. */
export interface StoredEntry {
  readonly name: string;
  readonly [field: string]: unknown;
}

const namespaceName = 'kubernetes.io/metadata.name';

/**
 * The webhook for pods of this namespace alone. It is the one that the operator's injector of a mesh never selects: so
 * each pod is one injector's, and pods of the other one that are there can be made again.
 */
export function narrowedEntry(entry: StoredEntry, namespace: string): StoredEntry {
  const selector = isRecord(entry.namespaceSelector) ? entry.namespaceSelector : {};
  const expressions = Array.isArray(selector.matchExpressions) ? selector.matchExpressions : [];
  const isNarrow = expressions.some(
    (requirement) =>
      isRecord(requirement) && requirement.key === namespaceName && requirement.operator === 'In',
  );
  if (isNarrow) return entry;
  const only = { key: namespaceName, operator: 'In', values: [namespace] };
  return { ...entry, namespaceSelector: { ...selector, matchExpressions: [...expressions, only] } };
}
