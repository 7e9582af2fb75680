import type { Problem } from '../problem.ts';
import { defaultDenyName, passesOnSuffix, requiredName } from '../resolve-security.ts';
import type { Allow } from '../spec/security.ts';
import { checkAddressRanges } from './address-ranges.ts';
import type { Draft } from './schema-problems.ts';
import { rootNamespaceOf, type SpecView } from './spec-view.ts';

const path = 'spec.security.authorization.allow';

/** The operator has policies of its own beside these, and Istio refuses a range that is none. */
export function checkAllow(view: SpecView): Problem[] {
  const list = view.spec.security?.authorization?.allow ?? [];
  return list.flatMap((policy, index) => {
    if (policy === undefined) return [];
    const at = `${path}[${index}]`;
    return [
      ...checkName(view, at, policy),
      ...checkAddressRanges(`${at}.from.ipBlocks`, policy.from?.ipBlocks),
    ];
  });
}

function checkName(view: SpecView, at: string, { name, namespace }: Draft<Allow>): Problem[] {
  const { authorization, jwt = [] } = view.spec.security ?? {};
  const root = rootNamespaceOf(view);
  if (name === undefined) return [];
  const place = namespace ?? root;
  const isOfDeny = (name === defaultDenyName && place === root) || name.endsWith(passesOnSuffix);
  const issuer = jwt.findIndex(
    (entry) =>
      entry?.required === true &&
      entry.name !== undefined &&
      requiredName(entry.name) === name &&
      (entry.namespace ?? root) === place,
  );
  return [
    ...(authorization?.defaultDeny === true && isOfDeny ? ['is a name that defaultDeny uses'] : []),
    ...(issuer < 0 ? [] : [`is the name of the policy of spec.security.jwt[${issuer}].required`]),
  ].map((message) => ({ path: `${at}.name`, message: `${message}: choose another` }));
}
