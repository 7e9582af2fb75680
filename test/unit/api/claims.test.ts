import { describe, expect, test } from 'vitest';
import { claimMessage, claimsOf, earlierClaim } from '../../../src/api/claims.ts';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { ownershipLabels } from '../../../src/api/labels.ts';

function aMesh(
  namespace: string,
  creationTimestamp: string,
  revision?: unknown,
  { tags = [], owner, name = 'mesh' }: { tags?: string[]; owner?: string; name?: string } = {},
): KubernetesObject {
  return {
    apiVersion: 'meshoperator.dev/v1alpha1',
    kind: 'MeshOperator',
    metadata: {
      ...{ name, namespace, uid: `${namespace}/${name}`, creationTimestamp },
      labels: owner === undefined ? {} : ownershipLabels({ namespace: owner, name: 'mesh' }),
    },
    spec: { revisionTags: tags, ...(revision === undefined ? {} : { revision }) },
  };
}

const older = '2026-01-01T00:00:00Z';
const newer = '2026-01-02T00:00:00Z';

describe('the claim to a revision', () => {
  test('belongs to the older of two meshes', () => {
    const [first, second] = [aMesh('a', older, 'blue'), aMesh('b', newer, 'blue')];

    expect(earlierClaim(first, among(first, second))).toBeUndefined();
    expect(earlierClaim(second, among(first, second))).toMatchObject({
      holder: { namespace: 'a', name: 'mesh' },
    });
  });

  test('belongs to the first by name when both were made in the same second', () => {
    const [first, second] = [aMesh('a', older, 'blue'), aMesh('b', older, 'blue')];

    expect(earlierClaim(first, among(second, first))).toBeUndefined();
    expect(earlierClaim(second, among(second, first))).toMatchObject({
      holder: { namespace: 'a', name: 'mesh' },
    });
  });

  test('takes no revision and the word default for the same one', () => {
    const [first, second] = [aMesh('a', older), aMesh('b', newer, 'default')];

    expect(earlierClaim(second, among(first, second))).toMatchObject({
      holder: { namespace: 'a', name: 'mesh' },
    });
  });

  test('leaves meshes of different revisions alone', () => {
    const [first, second] = [aMesh('a', older, 'blue'), aMesh('b', newer, 'green')];

    expect(earlierClaim(second, among(first, second))).toBeUndefined();
  });

  test('is refused with the name of the mesh that holds it', () => {
    expect(
      claimMessage({
        claim: { key: 'blue', name: 'blue', what: 'revision', path: 'spec.revision' },
        holder: { namespace: 'a', name: 'mesh' },
      }),
    ).toMatch(/revision blue belongs to MeshOperator a\/mesh/);
  });

  test('covers tags, which may not be the revision of another mesh either', () => {
    const [first, second] = [
      aMesh('a', older, 'blue'),
      aMesh('b', newer, 'green', { tags: ['prod', 'blue'] }),
    ];
    const held = earlierClaim(second, among(first, second));

    expect(held).toMatchObject({ claim: { name: 'blue' }, holder: { namespace: 'a' } });
    expect(held === undefined ? '' : claimMessage(held)).toMatch(
      /^spec\.revisionTags\[1\]: tag blue belongs to MeshOperator a\/mesh/,
    );
  });

  test.each([
    [
      'a tenant',
      { tenancy: { tenant: 'pay' } },
      /^spec\.tenancy\.tenant: tenant pay belongs to MeshOperator a\/mesh/,
    ],
    [
      'a trust bundle that another names after a tenant',
      { values: { global: { trustBundleName: 'istio-ca-root-cert-pay' } } },
      /^spec\.values\.global\.trustBundleName: trust bundle istio-ca-root-cert-pay belongs to MeshOperator a\/mesh/,
    ],
  ])('covers %s', (_what, spec, message) => {
    const first = { ...aMesh('a', older, 'pay'), spec: { revision: 'pay', tenancy: { tenant: 'pay' } } };
    const second = { ...aMesh('b', newer, 'other'), spec: { revision: 'other', ...spec } };
    const held = earlierClaim(second, among(first, second));

    expect(held === undefined ? '' : claimMessage(held)).toMatch(message);
    expect(earlierClaim(first, among(first, second))).toBeUndefined();
  });

  test('is shared by the control planes of one mesh, and by nobody else', () => {
    const mesh = aMesh('a', older, 'prod');
    const [old, next] = ['1-30-3', '1-31-1'].map((version) =>
      aMesh('a', newer, version, { tags: ['prod'], owner: 'a', name: `mesh-${version}` }),
    ) as [KubernetesObject, KubernetesObject];
    const stranger = aMesh('z', newer, 'mine', { tags: ['prod'] });
    const all = among(mesh, old, next, stranger);

    expect([mesh, old, next].map((one) => earlierClaim(one, all))).toEqual([undefined, undefined, undefined]);
    expect(earlierClaim(stranger, all)).toMatchObject({
      claim: { name: 'prod' },
      holder: { namespace: 'a' },
    });
  });

  test('is not made by a control plane for another cluster, which shares its namespace with none of its revision', () => {
    const forAnother = (namespace: string): KubernetesObject => {
      const mesh = aMesh(namespace, newer, 'blue');
      return { ...mesh, spec: { ...(mesh.spec as object), multiCluster: { configCluster: 'west' } } };
    };
    const first = aMesh('a', older, 'blue');
    const [beside, same] = [forAnother('b'), { ...forAnother('a') }];
    same.metadata = { ...same.metadata, name: 'other' };

    expect(earlierClaim(beside, among(first, beside, same))).toBeUndefined();
    expect(earlierClaim(same, among(first, beside, same))?.holder).toEqual({ namespace: 'a', name: 'mesh' });
  });

  test('is not shared by a MeshOperator of another namespace, whatever its labels say', () => {
    const mesh = aMesh('a', older, 'prod');
    const pretender = aMesh('z', newer, 'prod', { owner: 'a' });

    expect(earlierClaim(pretender, among(mesh, pretender))).toMatchObject({ holder: { namespace: 'a' } });
  });
});

function among(...meshes: KubernetesObject[]) {
  return (claimed: string) => meshes.filter((mesh) => claimsOf(mesh).some(({ key }) => key === claimed));
}
