import { describe, expect, test } from 'vitest';
import { authorAnnotation, readAuthor, sealAuthor } from '../../../../src/api/author.ts';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import type { MeshOperator } from '../../../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import type { Right } from '../../../../src/api/right.ts';
import type { UserInfo } from '../../../../src/api/user-info.ts';
import { type MeshReview, readMeshReview } from '../../../../src/servers/admission/mesh-review.ts';
import { recordAuthor } from '../../../../src/servers/admission/record-author.ts';
import { reviewMesh } from '../../../../src/servers/admission/review-mesh.ts';
import {
  type AdmissionReview,
  MalformedReviewError,
  type ReviewAnswer,
} from '../../../../src/servers/admission-review.ts';
import { applyPatch } from '../../../support/apply-patch.ts';
import { aRenderContext } from '../../../support/render-context.ts';

const key = Buffer.alloc(32, 1);
const anna: UserInfo = { username: 'anna', groups: ['team'] };
const root: UserInfo = { username: 'root', groups: ['system:masters'] };

function aMesh(spec: object = { profile: 'empty' }, annotations?: object): KubernetesObject {
  return {
    apiVersion: 'meshoperator.dev/v1alpha1',
    kind: 'MeshOperator',
    metadata: { name: 'mesh', namespace: 'team', ...(annotations === undefined ? {} : { annotations }) },
    spec,
  } as KubernetesObject;
}

/** As it is stored when this author has written it. */
function writtenBy(author: UserInfo | 'operator', mesh = aMesh()): KubernetesObject {
  const annotations = { ...mesh.metadata.annotations, [authorAnnotation]: sealAuthor(mesh, author, key) };
  return { ...mesh, metadata: { ...mesh.metadata, annotations } };
}

function recorded(review: MeshReview): KubernetesObject {
  const { allowed, patch = [] } = recordAuthor(review, key);
  expect(allowed).toBe(true);
  return applyPatch(review.object, patch) as KubernetesObject;
}

describe('the author that is written down', () => {
  test('is who makes the mesh, whatever it says itself', () => {
    for (const object of [aMesh(), aMesh(undefined, { other: 'x' }), writtenBy(root)]) {
      expect(readAuthor(recorded({ user: anna, object, before: undefined }), key)).toEqual(anna);
    }
  });

  test('is who changes the spec, whatever the object says', () => {
    const before = writtenBy(root);
    const changed = aMesh({ profile: 'minimal' });

    for (const object of [
      changed,
      writtenBy(root, changed),
      aMesh(changed.spec as object, before.metadata.annotations),
    ]) {
      expect(readAuthor(recorded({ user: anna, object, before }), key)).toEqual(anna);
    }
  });

  test('stays when something else changes, also when the annotation is taken away or replaced', () => {
    const before = writtenBy(root);

    for (const annotations of [
      undefined,
      {},
      { [authorAnnotation]: 'x' },
      writtenBy(anna).metadata.annotations,
    ]) {
      const object = aMesh(undefined, annotations);
      expect(readAuthor(recorded({ user: anna, object, before }), key)).toEqual(root);
    }
  });

  test('is who applies a spec once more of which nobody knows who wrote it', () => {
    const object = aMesh();

    expect(readAuthor(recorded({ user: anna, object, before: object }), key)).toEqual(anna);
  });

  test('costs no patch when it is there already', () => {
    const before = writtenBy(root);

    expect(recordAuthor({ user: anna, object: before, before }, key).patch).toEqual([]);
  });

  test('is the operator where it makes a part of a mesh', () => {
    const object = writtenBy('operator', aMesh({ profile: 'minimal' }));

    expect(readAuthor(recorded({ user: root, object, before: writtenBy('operator') }), key)).toBe('operator');
  });
});

describe('a MeshOperator that is written', () => {
  const asked: Right[][] = [];
  const review = (
    of: MeshReview,
    missing: readonly Right[] = [],
    meshes: readonly KubernetesObject[] = [],
  ): Promise<ReviewAnswer> => {
    asked.length = 0;
    return reviewMesh(of, {
      ...{ key, render: aRenderContext(), now: new Date('2026-12-01') },
      missingRights: async (_user, rights) => {
        asked.push([...rights]);
        return missing;
      },
      neighbours: async () => ({
        ...{ meshes, quotas: [], operatorNamespace: undefined, labelsOf: () => ({}) },
        resolve: (mesh) => resolveMesh(mesh as unknown as MeshOperator),
      }),
    });
  };

  test('is refused when another one has what it asks for, before any right is asked for', async () => {
    const holder = {
      ...aMesh({ profile: 'empty', revision: 'red' }),
      metadata: { name: 'a', namespace: 'other' },
    };
    const object = aMesh({ profile: 'empty', revision: 'red' });

    const { allowed, message } = await review({ user: anna, object, before: undefined }, [], [holder]);

    expect(allowed).toBe(false);
    expect(message).toMatch(/^spec\.revision: revision red belongs to MeshOperator other\/a;/);
    expect(asked).toEqual([]);
  });

  test('may be changed while it has what another one has as well: its status says so', async () => {
    const holder = {
      ...aMesh({ profile: 'empty', revision: 'red' }),
      metadata: { name: 'a', namespace: 'other' },
    };
    const before = writtenBy(anna, aMesh({ profile: 'empty', revision: 'red' }));
    const object = aMesh({ profile: 'empty', revision: 'red', hub: 'registry.example.com/istio' });

    expect(await review({ user: anna, object, before }, [], [holder])).toMatchObject({ allowed: true });
  });

  test('is taken with a warning when its version is not supported any more', async () => {
    const answer = await review({ user: anna, object: aMesh({ version: '1.29' }), before: undefined });

    expect(answer).toMatchObject({
      allowed: true,
      warnings: [expect.stringMatching(/^Istio 1\.29 was announced to be supported until 2026-08/)],
    });
  });

  test('is refused with the path of each problem and what was meant, before any right is asked for', async () => {
    const object = aMesh({ profil: 'demo', meshConfig: { acessLogFile: 'x' } });

    const { allowed, message } = await review({ user: anna, object, before: undefined });

    expect(allowed).toBe(false);
    expect(message).toContain('spec.profil: is not a field (did you mean "profile"?)');
    expect(message).toContain('spec.meshConfig.acessLogFile');
    expect(asked).toEqual([]);
  });

  test('is refused with the rights that its author lacks, and how to see it', async () => {
    const missing = { verb: 'create', group: 'apps', resource: 'deployments', namespace: 'edge' };

    const answer = await review({ user: anna, object: aMesh(), before: undefined }, [missing]);

    expect(answer).toMatchObject({
      allowed: false,
      code: 403,
      message:
        'user "anna" may not do what this mesh needs: create deployments.apps in namespace edge; as this user, try: kubectl auth can-i create deployments.apps --namespace edge',
    });
  });

  test('is allowed when its author has the rights', async () => {
    expect(await review({ user: anna, object: aMesh(), before: undefined })).toMatchObject({ allowed: true });
    expect(asked).toHaveLength(1);
  });

  test('is not looked at again while its spec stays', async () => {
    const before = writtenBy(root);

    expect(await review({ user: anna, object: before, before })).toMatchObject({ allowed: true });
    expect(asked).toEqual([]);
  });

  test('is looked at again when nobody knows who wrote it, but not for problems that it had before', async () => {
    const missing = { verb: 'create', group: '', resource: 'services', namespace: 'edge' };
    const broken = aMesh({ profil: 'demo' });

    expect(await review({ user: anna, object: aMesh(), before: aMesh() }, [missing])).toMatchObject({
      allowed: false,
    });
    expect(await review({ user: anna, object: broken, before: broken }, [missing])).toMatchObject({
      allowed: true,
    });
  });
});

describe('a review', () => {
  const request = {
    kind: { group: 'meshoperator.dev', version: 'v1alpha1', kind: 'MeshOperator' },
    object: aMesh(),
    userInfo: anna,
  };
  const read = (parts: object) =>
    readMeshReview({
      ...{ apiVersion: 'admission.k8s.io/v1', uid: 'u', namespace: 'team' },
      request: { ...request, ...parts },
    } as AdmissionReview);

  test('is read as an API server sends it', () => {
    expect(read({ oldObject: null })).toEqual({ user: anna, object: aMesh(), before: undefined });
    expect(read({ oldObject: aMesh({}) }).before).toEqual(aMesh({}));
  });

  test.each([
    ['another kind', { kind: { kind: 'Pod' } }],
    ['a subresource', { subResource: 'status' }],
    ['nobody', { userInfo: {} }],
    ['nothing', { object: null }],
    ['an object without metadata', { object: {} }],
  ])('of %s is refused', (_name, parts) => {
    expect(() => read(parts)).toThrow(MalformedReviewError);
  });
});
