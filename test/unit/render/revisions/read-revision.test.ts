import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { ownershipLabels } from '../../../../src/api/labels.ts';
import { readRevisions } from '../../../../src/render/revisions/read-revision.ts';

const owner = { namespace: 'prod', name: 'mesh' };

function aPart(namespace: string, revision: string): KubernetesObject {
  return {
    apiVersion: 'meshoperator.dev/v1alpha1',
    kind: 'MeshOperator',
    metadata: { name: `mesh-${revision}`, namespace, labels: ownershipLabels(owner) },
    spec: { revision },
  };
}

test('control planes of a mesh are those in its own namespace, whatever labels others carry', () => {
  const parts = [aPart('prod', '1-31-1'), aPart('team', '1-30-3')];

  expect([...readRevisions(owner, parts).keys()]).toEqual(['1-31-1']);
});
