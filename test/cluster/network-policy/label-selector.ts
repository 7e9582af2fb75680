import type { LabelSelector } from './policy-objects.ts';

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

/** True when every requirement holds. An empty selector has none, so it selects everything. */
export function selectsLabels(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every((expression) => holds(expression, labels))
  );
}

/** As in Kubernetes, a missing label satisfies `NotIn`. */
function holds(
  { key, operator, values = [] }: Expression,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      throw new Error(`Label selector operator ${operator} is none of In, NotIn, Exists, DoesNotExist`);
  }
}
