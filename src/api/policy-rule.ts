import type { Right } from './right.ts';

/** Rights in the whole cluster, as roles give them (rbac.authorization.k8s.io/v1 PolicyRule). */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  /** With a subresource: `pods/exec`. */
  readonly resources: readonly string[];
  /** Absent or empty: all of them. */
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Every right that rules without names give, one verb on one kind each. */
export function rightsOfRules(rules: readonly PolicyRule[]): Right[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ verb, group, resource }))),
    ),
  );
}

/** Those of `rights` that no rule gives, as Kubernetes reads them: what is wanted of all is not given by a rule for some. */
export function rightsBeyond(rules: readonly PolicyRule[], rights: readonly Right[]): Right[] {
  return rights.filter((right) => !rules.some((rule) => gives(rule, right)));
}

function gives({ apiGroups, resources, resourceNames = [], verbs }: PolicyRule, right: Right): boolean {
  const { verb, group, resource, subresource, name } = right;
  const has = (list: readonly string[], wanted: string) => list.includes('*') || list.includes(wanted);
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  return (
    has(verbs, verb) &&
    has(apiGroups, group) &&
    (has(resources, what) || (subresource !== undefined && resources.includes(`*/${subresource}`))) &&
    (resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name)))
  );
}
