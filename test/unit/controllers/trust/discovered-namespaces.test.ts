import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { discoveredNamespaces } from '../../../../src/controllers/trust/discovered-namespaces.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

function aNamespace(name: string, metadata = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } };
}

const namespaces = [
  aNamespace('shop', { labels: { team: 'shop', tier: 'web' } }),
  aNamespace('bank', { labels: { team: 'bank' } }),
  aNamespace('kube-system'),
  aNamespace('kube-public'),
  aNamespace('kube-node-lease'),
  aNamespace('local-path-storage'),
  aNamespace('ending', { labels: { team: 'shop' }, deletionTimestamp: '2026-01-10T12:00:00Z' }),
];

function discovered(discoverySelectors: object[]) {
  return discoveredNamespaces(resolveMesh(aMeshOperator({ meshConfig: { discoverySelectors } })), namespaces);
}

test('a bundle goes to every namespace but those of Kubernetes that have no pods, and those that end', () => {
  expect(discovered([])).toEqual(['shop', 'bank', 'kube-system']);
});

test('discoverySelectors limit it: any one of them is enough', () => {
  const webOfShop = { matchLabels: { team: 'shop', tier: 'web' } };
  const bank = { matchExpressions: [{ key: 'team', operator: 'In', values: ['bank'] }] };

  expect(discovered([webOfShop])).toEqual(['shop']);
  expect(discovered([webOfShop, bank])).toEqual(['shop', 'bank']);
});
