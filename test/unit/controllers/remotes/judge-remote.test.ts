import { expect, test } from 'vitest';
import type { ClusterFacts } from '../../../../src/controllers/remotes/cluster-facts.ts';
import { judgeRemote } from '../../../../src/controllers/remotes/judge-remote.ts';
import type { RemoteFacts } from '../../../../src/controllers/remotes/probe-remote.ts';

const mesh = { meshId: 'shop', podNetwork: '' };

function facts(rest: Partial<RemoteFacts> = {}): RemoteFacts {
  return {
    ...{ kubernetesVersion: 'v1.35.1', uid: 'west-uid', clockSkewMs: 0, meshes: [] },
    ...{ roots: new Set<string>(), podRanges: [] },
    ...rest,
  };
}

function aPeer(meshID: string, clusterName: string, network?: string) {
  return {
    ...{ apiVersion: 'meshoperator.dev/v1alpha1', kind: 'MeshOperator' },
    metadata: { name: 'mesh', namespace: 'istio-system' },
    spec: { multiCluster: { meshID, clusterName, ...(network === undefined ? {} : { network }) } },
  };
}

const home: ClusterFacts = { uid: 'east-uid', roots: new Set(['a', 'b']), podRanges: ['10.1.0.0/16'] };
const judge = (other: RemoteFacts) => judgeRemote({ mesh, clusterName: 'west', own: home, other });
const reasonOf = (other: RemoteFacts) => judge(other)?.reason;

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

test('of two names that lead to one cluster the first in the spec counts', () => {
  const judged = (uid: string) =>
    judgeRemote({
      ...{ mesh, clusterName: 'west', own: home, other: facts() },
      earlier: [{ clusterName: 'north', uid }],
    });

  expect(judged('north-uid')).toBeUndefined();
  expect(judged('west-uid')).toMatchObject({
    ...{ reason: 'SameCluster', isOther: true },
    message: expect.stringMatching(/^is cluster north once more: one of their two Secrets/),
  });
});

test('a cluster that has taken the name of this one is told what to correct', () => {
  expect(judge(facts({ meshes: [aPeer('shop', 'east')] }))).toMatchObject({
    ...{ reason: 'OtherCluster', isOther: true },
    message: expect.stringMatching(
      /^calls itself east \(MeshOperator istio-system\/mesh\): correct clusterName/,
    ),
  });
});

test('who a cluster is counts for more than what is wrong with it', () => {
  const wrong = { clockSkewMs: 90_000, roots: new Set(['c']) };

  expect(reasonOf(facts({ ...wrong, uid: 'east-uid' }))).toBe('OwnCluster');
  expect(reasonOf(facts(wrong))).toBe('RootsDiffer');
  expect(reasonOf(facts({ clockSkewMs: 90_000 }))).toBe('ClockSkew');
});

test('a cluster that trusts none of our roots is named, once both have some', () => {
  expect(reasonOf(facts({ roots: new Set(['b', 'c']) }))).toBeUndefined();
  expect(judge(facts({ roots: new Set(['c']) }))).toMatchObject({ reason: 'RootsDiffer', isOther: false });
});

test('of clusters that exchange roots, each must trust the one that signs in the other', () => {
  const own = { ...home, root: 'a' };
  const judged = (root: string, roots: readonly string[]) =>
    judgeRemote({ mesh, clusterName: 'west', own, other: facts({ root, roots: new Set(roots) }) })?.message;

  expect(judged('b', ['a', 'b'])).toBeUndefined();
  expect(judged('c', ['a', 'c'])).toContain('has a root that this cluster does not trust yet');
  expect(judged('b', ['b'])).toContain('does not trust the root of this cluster yet');
});

test('pods of one network must not have the same addresses, those of two may', () => {
  const inOne = { meshes: [aPeer('shop', 'west')], podRanges: ['10.1.128.0/17'] };
  expect(reasonOf(facts(inOne))).toBe('AddressClash');
  expect(reasonOf(facts({ ...inOne, podRanges: ['10.2.0.0/16'] }))).toBeUndefined();
  expect(reasonOf(facts({ ...inOne, meshes: [aPeer('shop', 'west', 'west')] }))).toBeUndefined();
});

test('a clock that is far off is named with its direction', () => {
  expect(reasonOf(facts({ clockSkewMs: 29_000 }))).toBeUndefined();
  expect(judge(facts({ clockSkewMs: -61_000 }))).toEqual({
    ...{ reason: 'ClockSkew', isOther: false },
    message:
      'has a clock that is 61 s behind: certificates and tokens of one cluster may not be valid yet in the other',
  });
});
