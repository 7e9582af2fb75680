import { describe, expect, test } from 'vitest';
import { authorAnnotation, isSameSpec, readAuthor, sealAuthor } from '../../../src/api/author.ts';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { UserInfo } from '../../../src/api/user-info.ts';

const key = Buffer.alloc(32, 1);
const anna: UserInfo = { username: 'anna', uid: 'u1', groups: ['ops'], extra: { scopes: ['mesh'] } };

function aMesh(spec: object = { profile: 'empty' }, metadata: object = {}): KubernetesObject {
  return {
    apiVersion: 'meshoperator.dev/v1alpha1',
    kind: 'MeshOperator',
    metadata: { name: 'mesh', namespace: 'team', ...metadata },
    spec,
  };
}

function sealed(mesh: KubernetesObject, annotation: string): KubernetesObject {
  return { ...mesh, metadata: { ...mesh.metadata, annotations: { [authorAnnotation]: annotation } } };
}

describe('the author of a spec', () => {
  test.each([['a user', anna] as const, ['the operator', 'operator'] as const])(
    'is %s, as it was sealed',
    (_name, author) => {
      const mesh = aMesh();

      expect(readAuthor(sealed(mesh, sealAuthor(mesh, author, key)), key)).toEqual(author);
    },
  );

  test('stays when nothing of the spec changes but its form', () => {
    const seal = sealAuthor(aMesh({ profile: 'empty', hub: 'a/b' }), anna, key);

    const stored = aMesh({ hub: 'a/b', tag: null, profile: 'empty' });
    expect(readAuthor(sealed(stored, seal), key)).toEqual(anna);
  });

  const own = sealAuthor(aMesh(), anna, key);
  const byAnother = JSON.stringify({ ...JSON.parse(own), user: { username: 'root', groups: [] } });
  test.each([
    ['another spec', aMesh({ profile: 'demo' }), own],
    ['a mesh of another name', aMesh(undefined, { name: 'other' }), own],
    ['a mesh of another namespace', aMesh(undefined, { namespace: 'other' }), own],
    ['another user', aMesh(), byAnother],
    ['nobody, as if the operator had written it', aMesh(), JSON.stringify({ seal: JSON.parse(own).seal })],
    ['another key', aMesh(), sealAuthor(aMesh(), anna, Buffer.alloc(32, 2))],
    ['no seal', aMesh(), JSON.stringify({ user: anna })],
    ['an empty seal', aMesh(), JSON.stringify({ user: anna, seal: '' })],
    ['no JSON', aMesh(), '{'],
    ['null', aMesh(), 'null'],
    ['a user that is none', aMesh(), JSON.stringify({ ...JSON.parse(own), user: 7 })],
  ])('is unknown when the annotation is of %s', (_name, mesh, annotation) => {
    expect(readAuthor(sealed(mesh, annotation), key)).toBeUndefined();
  });

  test('is unknown without the annotation', () => {
    expect(readAuthor(aMesh(), key)).toBeUndefined();
  });
});

test('two specs are the same whatever the order of their keys, and whether nothing is null or absent', () => {
  expect(isSameSpec(aMesh({ a: 1, b: { c: null } }), aMesh({ b: {}, a: 1 }))).toBe(true);
  expect(isSameSpec(aMesh({}), { ...aMesh(), spec: undefined })).toBe(true);
  expect(isSameSpec(aMesh({ a: 1 }), aMesh({ a: 2 }))).toBe(false);
});
