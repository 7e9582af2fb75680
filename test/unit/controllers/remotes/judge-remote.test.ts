import { expect, test } from 'vitest';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { judgeRemote } from '../../../../src/controllers/remotes/judge-remote.ts';
import type { RemoteFacts } from '../../../../src/controllers/remotes/probe-remote.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

const mesh = resolveMesh(aMeshOperator({ multiCluster: { meshID: 'shop', clusterName: 'east' } }));

function facts(rest: Partial<RemoteFacts> = {}): RemoteFacts {
  return { kubernetesVersion: 'v1.35.1', uid: 'west-uid', clockSkewMs: 0, meshes: [], ...rest };
}

function aPeer(meshID: string, clusterName: string) {
  return {
    ...{ apiVersion: 'meshoperator.dev/v1alpha1', kind: 'MeshOperator' },
    metadata: { name: 'mesh', namespace: 'istio-system' },
    spec: { multiCluster: { meshID, clusterName } },
  };
}

const reasonOf = (found: RemoteFacts) => judgeRemote(mesh, 'west', found, 'east-uid')?.reason;

test('a cluster without an operator is taken as it is', () => {
  expect(reasonOf(facts())).toBeUndefined();
});

test('a cluster of the same mesh by the name that the spec has is the right one', () => {
  expect(reasonOf(facts({ meshes: [aPeer('shop', 'west'), aPeer('other', 'x')] }))).toBeUndefined();
});

test('this cluster itself, another cluster of the mesh, and one of another mesh are not', () => {
  expect(reasonOf(facts({ uid: 'east-uid' }))).toBe('OwnCluster');
  expect(reasonOf(facts({ meshes: [aPeer('shop', 'north')] }))).toBe('OtherCluster');
  expect(reasonOf(facts({ meshes: [aPeer('bank', 'west')] }))).toBe('OtherMesh');
});

test('a clock that is far off is named with its direction', () => {
  expect(reasonOf(facts({ clockSkewMs: 29_000 }))).toBeUndefined();
  expect(judgeRemote(mesh, 'west', facts({ clockSkewMs: -61_000 }), 'east-uid')).toEqual({
    reason: 'ClockSkew',
    message:
      'has a clock that is 61 s behind: certificates and tokens of one cluster may not be valid yet in the other',
  });
});
