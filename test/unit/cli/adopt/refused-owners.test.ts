import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { refusedOwners } from '../../../../src/cli/adopt/refused-owners.ts';

function ownedBy(apiVersion: string, kind: string): KubernetesObject {
  const owner = { apiVersion, kind, name: 'default', uid: '1' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'istio', ownerReferences: [owner] } };
}

test('an operator that would set objects back is named once, with what to do about it', () => {
  const revision = ownedBy('sailoperator.io/v1', 'IstioRevision');

  expect(refusedOwners([revision, revision])).toEqual([
    expect.stringMatching(
      /^IstioRevision default \(sailoperator\.io\/v1\) owns objects of this Istio .*: scale Sail's operator to 0/,
    ),
  ]);
  expect(refusedOwners([ownedBy('example.com/v1', 'Platform')])).toEqual([
    expect.stringMatching(/^Platform default .*: stop what keeps it, and delete it with --cascade=orphan$/),
  ]);
});

test('a MeshOperator is no such owner, and neither is nobody', () => {
  const free = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'istio' } };

  expect(refusedOwners([free, ownedBy('meshoperator.dev/v1alpha1', 'MeshOperator')])).toEqual([]);
});
