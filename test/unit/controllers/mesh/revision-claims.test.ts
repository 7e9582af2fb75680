import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { claimMessage, earlierClaim } from '../../../../src/controllers/mesh/revision-claims.ts';

function aMesh(namespace: string, creationTimestamp: string, revision?: unknown): KubernetesObject {
  return {
    apiVersion: 'meshoperator.dev/v1alpha1',
    kind: 'MeshOperator',
    metadata: { name: 'mesh', namespace, uid: namespace, creationTimestamp },
    spec: revision === undefined ? {} : { revision },
  };
}

const older = '2026-01-01T00:00:00Z';
const newer = '2026-01-02T00:00:00Z';

describe('the claim to a revision', () => {
  test('belongs to the older of two meshes', () => {
    const [first, second] = [aMesh('a', older, 'blue'), aMesh('b', newer, 'blue')];

    expect(earlierClaim(first, [first, second])).toBeUndefined();
    expect(earlierClaim(second, [first, second])).toEqual({ namespace: 'a', name: 'mesh' });
  });

  test('belongs to the first by name when both were made in the same second', () => {
    const [first, second] = [aMesh('a', older, 'blue'), aMesh('b', older, 'blue')];

    expect(earlierClaim(first, [second, first])).toBeUndefined();
    expect(earlierClaim(second, [second, first])).toEqual({ namespace: 'a', name: 'mesh' });
  });

  test('takes no revision and the word default for the same one', () => {
    const [first, second] = [aMesh('a', older), aMesh('b', newer, 'default')];

    expect(earlierClaim(second, [first, second])).toEqual({ namespace: 'a', name: 'mesh' });
  });

  test('leaves meshes of different revisions alone', () => {
    const [first, second] = [aMesh('a', older, 'blue'), aMesh('b', newer, 'green')];

    expect(earlierClaim(second, [first, second])).toBeUndefined();
  });

  test('is refused with the name of the mesh that holds it', () => {
    expect(claimMessage(aMesh('b', newer, 'blue'), { namespace: 'a', name: 'mesh' })).toMatch(
      /revision blue belongs to MeshOperator a\/mesh/,
    );
  });
});
