import { expect, test } from 'vitest';
import { canIText, type Right, rightsText } from '../../../src/api/right.ts';

const deployments: Right = { verb: 'create', group: 'apps', resource: 'deployments', namespace: 'web' };

test('rights are told by place, with all verbs that are meant', () => {
  const rights: Right[] = [
    deployments,
    { ...deployments, verb: 'delete' },
    { verb: 'escalate', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
  ];

  expect(rightsText(rights)).toBe(
    'create, delete deployments.apps in namespace web; escalate clusterroles.rbac.authorization.k8s.io in the cluster',
  );
});

test('many rights are counted', () => {
  const rights = Array.from({ length: 7 }, (_value, index) => ({ ...deployments, namespace: `n${index}` }));

  expect(rightsText(rights)).toMatch(/namespace n4; 2 more$/);
});

test.each([
  [deployments, 'kubectl auth can-i create deployments.apps --namespace web'],
  [{ verb: 'get', group: '', resource: 'secrets' }, 'kubectl auth can-i get secrets'],
  [
    {
      ...{ verb: 'use', group: 'meshoperator.dev', resource: 'meshoperators' },
      ...{ subresource: 'clusterscope', namespace: 'mesh' },
    },
    'kubectl auth can-i use meshoperators.meshoperator.dev --subresource clusterscope --namespace mesh',
  ],
])('%j is asked about by a command', (right, command) => {
  expect(canIText(right)).toBe(command);
});
