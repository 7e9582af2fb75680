import type { LabelSelector } from './resolved-injection.ts';

/** What the selectors say of one label. */
interface Demand {
  isPresent: boolean;
  isAbsent: boolean;
  /** Undefined: any value. */
  allowed: ReadonlySet<string> | undefined;
  readonly forbidden: Set<string>;
}

/** Every namespace has it (Kubernetes, `NamespaceDefaultLabelName`). */
const alwaysPresent = 'kubernetes.io/metadata.name';

/** True when there are labels of a namespace that all the selectors match. Exact: no such labels exist where it is false. */
export function canMatchTogether(...selectors: readonly LabelSelector[]): boolean {
  const demands = new Map<string, Demand>();
  const of = (key: string): Demand => {
    const isPresent = key === alwaysPresent;
    const demand = demands.get(key) ?? {
      ...{ isPresent, isAbsent: false, allowed: undefined },
      forbidden: new Set<string>(),
    };
    demands.set(key, demand);
    return demand;
  };
  const allow = (key: string, values: readonly string[]) => {
    const demand = of(key);
    demand.isPresent = true;
    demand.allowed = new Set(values.filter((value) => demand.allowed?.has(value) ?? true));
  };
  for (const { matchLabels = {}, matchExpressions = [] } of selectors) {
    for (const [key, value] of Object.entries(matchLabels)) allow(key, [value]);
    for (const { key, operator, values = [] } of matchExpressions) {
      if (operator === 'In') allow(key, values);
      else if (operator === 'NotIn') for (const value of values) of(key).forbidden.add(value);
      else if (operator === 'Exists') of(key).isPresent = true;
      else of(key).isAbsent = true;
    }
  }
  return [...demands.values()].every(canHold);
}

/** There are more label values than any selector names, so forbidding some leaves others. */
function canHold({ isPresent, isAbsent, allowed, forbidden }: Demand): boolean {
  if (!isPresent) return true;
  if (isAbsent) return false;
  return allowed === undefined || [...allowed].some((value) => !forbidden.has(value));
}
