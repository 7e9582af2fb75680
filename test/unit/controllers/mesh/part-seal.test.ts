import { describe, expect, test } from 'vitest';
import { readAuthor } from '../../../../src/api/author.ts';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { maySealPart, sealPart } from '../../../../src/controllers/mesh/part-seal.ts';

const key = Buffer.alloc(32, 1);

function aPart(spec: object = {}): KubernetesObject {
  return {
    apiVersion: 'meshoperator.dev/v1alpha1',
    kind: 'MeshOperator',
    metadata: { name: 'mesh-1-31-1', namespace: 'prod', annotations: { other: 'x' }, generation: 2 },
    spec: { version: '1.31.1', revisionTags: ['prod'], ...spec },
  };
}

test('a part of a mesh gets the operator’s seal beside what it has', () => {
  const part = sealPart(aPart(), key);

  expect(readAuthor(part, key)).toBe('operator');
  expect(part.metadata.annotations).toMatchObject({ other: 'x' });
});

describe('the operator’s seal', () => {
  const tampered = { ...sealPart(aPart(), key), spec: aPart({ hub: 'registry.example.com/own' }).spec };

  test('is given again to what it was given to, whatever becomes of its tags', () => {
    expect(maySealPart(aPart({ revisionTags: [] }), sealPart(aPart(), key), key)).toBe(true);
  });

  test('is not given to what somebody else has written, where the mesh would only repeat it', () => {
    expect(maySealPart(aPart({ hub: 'registry.example.com/own', revisionTags: [] }), tampered, key)).toBe(
      false,
    );
  });

  test('is given where the mesh says something else', () => {
    expect(maySealPart(aPart(), tampered, key)).toBe(true);
  });

  test('is given to what was found to be authorized', () => {
    const conditions = [{ type: 'Authorized', status: 'True', observedGeneration: 2 }];

    expect(
      maySealPart(aPart({ hub: 'registry.example.com/own' }), { ...tampered, status: { conditions } }, key),
    ).toBe(true);
  });
});
