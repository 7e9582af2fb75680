import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { ownersOf, refusedOwners } from '../../../../src/cli/adopt/refused-owners.ts';

function ownedBy(apiVersion: string, kind: string): KubernetesObject {
  const owner = { apiVersion, kind, name: 'default', uid: '1' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'istio', ownerReferences: [owner] } };
}

test.each(['sailoperator.io/v1', 'operator.istio.io/v1alpha1'])(
  'an IstioRevision of %s is named once, and that its spec is to be kept',
  (apiVersion) => {
    const revision = ownedBy(apiVersion, 'IstioRevision');

    expect(refusedOwners(ownersOf([revision, revision]))).toEqual([
      `IstioRevision default (${apiVersion}) owns objects of this Istio and would set them back: take Sail's operator off it by the steps of this report, which keep its spec first`,
    ]);
  },
);

test('an owner that is not of Sail is told from it, whatever it is called', () => {
  for (const apiVersion of ['example.com/v1', 'operator.io/v1', 'sailoperator.istio.io/v1']) {
    expect(refusedOwners(ownersOf([ownedBy(apiVersion, 'IstioRevision')]))).toEqual([
      `IstioRevision default (${apiVersion}) owns objects of this Istio and would set them back: stop what keeps it, and delete it with --cascade=orphan`,
    ]);
  }
});

test('owners of one kind and name in two groups are two, and in two versions of a group one', () => {
  const owned = ['example.com/v1', 'example.com/v2', 'example.org/v1'].map((version) =>
    ownedBy(version, 'Platform'),
  );

  expect(refusedOwners(ownersOf(owned))).toEqual([
    expect.stringMatching(/^Platform default \(example\.com\/v1\) owns/),
    expect.stringMatching(/^Platform default \(example\.org\/v1\) owns/),
  ]);
});

test('a MeshOperator is no such owner, and neither is nobody', () => {
  const free = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'istio' } };

  expect(ownersOf([free, ownedBy('meshoperator.dev/v1alpha1', 'MeshOperator')])).toEqual([]);
  expect(ownersOf([ownedBy('example.com/v1', 'MeshOperator')])).toHaveLength(1);
});

test('what keeps an Istio is an owner, and so is its own owner, whatever the objects say', () => {
  const revision = { ...ownedBy('sailoperator.io/v1', 'Istio'), apiVersion: 'sailoperator.io/v1' };
  const keeper = { ...revision, kind: 'IstioRevision', metadata: { ...revision.metadata, name: 'default' } };

  expect(ownersOf([ownedBy('sailoperator.io/v1', 'IstioRevision')], [keeper])).toEqual([
    { apiVersion: 'sailoperator.io/v1', kind: 'IstioRevision', name: 'default' },
    { apiVersion: 'sailoperator.io/v1', kind: 'Istio', name: 'default' },
  ]);
});
