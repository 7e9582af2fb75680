import { expect, test } from 'vitest';
import { type PolicyRule, rightsBeyond, rightsOfRules } from '../../../src/api/policy-rule.ts';
import type { Right } from '../../../src/api/right.ts';

const listPods: Right = { verb: 'list', group: '', resource: 'pods' };
const token: Right = { verb: 'create', group: '', resource: 'serviceaccounts', subresource: 'token' };

function aRule(fields: Partial<PolicyRule>): PolicyRule {
  return { apiGroups: [''], resources: ['pods'], verbs: ['list'], ...fields };
}

test.each<[string, Right, Partial<PolicyRule>]>([
  ['by its names', listPods, {}],
  [
    'among others',
    listPods,
    { apiGroups: ['apps', ''], resources: ['nodes', 'pods'], verbs: ['get', 'list'] },
  ],
  ['by a rule for everything', listPods, { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
  ['by name', { ...listPods, name: 'a' }, { resourceNames: ['a', 'b'] }],
  ['with its subresource', token, { resources: ['serviceaccounts/token'], verbs: ['create'] }],
  ['by its subresource of everything', token, { resources: ['*/token'], verbs: ['create'] }],
  ['of all resources by a rule for all', { ...listPods, resource: '*' }, { resources: ['*'] }],
])('a right is given %s', (_how, right, rule) => {
  expect(rightsBeyond([aRule({ resources: [] }), aRule(rule)], [right])).toEqual([]);
});

test.each<[string, Right, Partial<PolicyRule>]>([
  ['another verb', listPods, { verbs: ['get'] }],
  ['another group', listPods, { apiGroups: ['apps'] }],
  ['another resource', listPods, { resources: ['nodes'] }],
  ['some by name', listPods, { resourceNames: ['a'] }],
  ['the resource without its subresource', token, { resources: ['serviceaccounts'], verbs: ['create'] }],
  ['some resources, where all are wanted', { ...listPods, resource: '*' }, { resources: ['pods', 'nodes'] }],
])('a right is not given by a rule for %s', (_what, right, rule) => {
  expect(rightsBeyond([aRule(rule)], [right])).toEqual([right]);
});

test('rules are told verb by verb', () => {
  const rule = aRule({ resources: ['pods', 'nodes'], verbs: ['get', 'list'] });

  expect(rightsOfRules([rule]).map(({ verb, resource }) => `${verb} ${resource}`)).toEqual([
    'get pods',
    'list pods',
    'get nodes',
    'list nodes',
  ]);
});
