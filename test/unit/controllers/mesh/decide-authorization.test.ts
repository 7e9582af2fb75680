import { describe, expect, test } from 'vitest';
import { authorAnnotation, sealAuthor } from '../../../../src/api/author.ts';
import type { KubernetesObject, ObjectId } from '../../../../src/api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../../../../src/api/mesh-operator-status.ts';
import type { UserInfo } from '../../../../src/api/user-info.ts';
import {
  authorizationFor,
  decideAuthorization,
} from '../../../../src/controllers/mesh/decide-authorization.ts';

const key = Buffer.alloc(32, 1);
const anna: UserInfo = { username: 'anna', groups: [] };
const service: ObjectId = { apiVersion: 'v1', kind: 'Service', namespace: 'team', name: 'gateway' };
const elsewhere = { ...service, namespace: 'edge' };
const allowed = { type: 'Authorized', status: 'True', reason: 'AuthorAllowed', message: 'They may' } as const;

/** Of generation 2, with what its status says. */
function aMesh(author: UserInfo | 'operator' | undefined, status?: object): KubernetesObject {
  const mesh: KubernetesObject = {
    ...{ apiVersion: 'meshoperator.dev/v1alpha1', kind: 'MeshOperator', spec: {} },
    metadata: { name: 'mesh', namespace: 'team', generation: 2 },
    ...(status === undefined ? {} : { status: { inventory: [service], ...status } }),
  };
  if (author === undefined) return mesh;
  const annotations = { [authorAnnotation]: sealAuthor(mesh, author, key) };
  return { ...mesh, metadata: { ...mesh.metadata, annotations } };
}

function found(condition: object, observedGeneration: number): Partial<MeshOperatorStatus> {
  return { conditions: [{ ...allowed, ...condition, observedGeneration, lastTransitionTime: '' }] };
}

const decide = (mesh: KubernetesObject, objects = [service]) => decideAuthorization(mesh, objects, () => key);
const reasonOf = (mesh: KubernetesObject, objects?: ObjectId[]) => {
  const known = decide(mesh, objects);
  return known.kind === 'settled' ? known.authorization.reason : `ask ${known.author.username}`;
};

describe('the rights to a spec', () => {
  test('are as they were found for it, and neither key nor API server is asked', () => {
    const known = decideAuthorization(aMesh(anna, found({}, 2)), [service], () => {
      throw new Error('asked for the key');
    });

    expect(known).toEqual({ kind: 'settled', authorization: allowed });
  });

  test.each([
    ['the spec is new', aMesh(anna), [service]],
    ['they were found for another generation', aMesh(anna, found({}, 1)), [service]],
    ['they were missing', aMesh(anna, found({ status: 'False' }, 2)), [service]],
    ['objects come into another namespace', aMesh(anna, found({}, 2)), [service, elsewhere]],
    ['objects of another kind come', aMesh(anna, found({}, 2)), [service, { ...service, kind: 'ConfigMap' }]],
  ])('are asked for when %s', (_name, mesh, objects) => {
    expect(reasonOf(mesh, objects)).toBe('ask anna');
  });

  test('are those of the mesh that a control plane is of', () => {
    expect(reasonOf(aMesh('operator'))).toBe('MadeByOperator');
  });

  test('cannot be told while nobody knows the author', () => {
    expect(reasonOf(aMesh(undefined))).toBe('AuthorUnknown');
    expect(reasonOf(aMesh(undefined, found({}, 1)))).toBe('AuthorUnknown');
    expect(reasonOf(aMesh(undefined, { observedGeneration: 1 }))).toBe('AuthorUnknown');
    expect(reasonOf(aMesh(undefined, { observedGeneration: 2, inventory: [] }))).toBe('AuthorUnknown');
    expect(reasonOf(aMesh(undefined, { ...found({ status: 'False' }, 1), observedGeneration: 2 }))).toBe(
      'AuthorUnknown',
    );
  });

  test('are left where the spec was in force before authors were recorded, or the key was lost', () => {
    expect(reasonOf(aMesh(undefined, { observedGeneration: 2 }))).toBe('AuthorNotRecorded');
    expect(reasonOf(aMesh(undefined, found({}, 2)), [service, elsewhere])).toBe('AuthorNotRecorded');
  });
});

test('what is missing is said with whose it is, and what to do', () => {
  const missing = [{ verb: 'create', group: '', resource: 'services', namespace: 'edge' }];

  expect(authorizationFor(anna, missing)).toMatchObject({
    ...{ status: 'False', reason: 'AuthorNotAllowed' },
    message:
      'Nothing of the spec is done: user "anna" may not do what this mesh needs: create services in namespace edge; as this user, try: kubectl auth can-i create services --namespace edge. Grant the rights, or have somebody apply it once more who has them',
  });
  expect(authorizationFor(anna, [])).toMatchObject({ status: 'True', reason: 'AuthorAllowed' });
});
