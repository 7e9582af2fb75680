import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { findMeshProblems } from '../../../../src/cli/mesh-problems.ts';
import { nothingObserved } from '../../../../src/render/observed-mesh.ts';
import { renderRevisions } from '../../../../src/render/revisions/render-revisions.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { aRenderContext } from '../../../support/render-context.ts';
import { findObject } from '../../../support/rendered-objects.ts';

const upgrade = { strategy: 'RevisionBased' } as const;

describe('a mesh whose upgrades are RevisionBased', () => {
  it.each([
    ['the default one', undefined, 'istiod', 'istiod-1-30-3'],
    ['one with a revision', 'prod', 'istiod-prod', 'istiod-prod-1-30-3'],
    [
      'a cluster-wide object',
      'prod',
      'istiod-clusterrole-prod-istio-system',
      'istiod-clusterrole-prod-1-30-3-istio-system',
    ],
  ])('gives its overlays to the control plane of its version: %s', (_what, revision, name, own) => {
    const kind = name.includes('clusterrole') ? 'ClusterRole' : 'Deployment';
    const overlay = { kind, name, patches: [{ path: 'metadata.labels.team', value: 'mesh' }] };
    const mesh = aMeshOperator({
      ...{ version: '1.30.3', upgrade },
      ...(revision === undefined ? {} : { revision }),
      components: { pilot: { k8s: { overlays: [overlay] } } },
    });

    expect(controlPlaneOf(mesh).components?.pilot?.k8s?.overlays).toMatchObject([{ name: own }]);
    expect(findMeshProblems(mesh)).toEqual([]);
  });

  it('refuses overlays of objects that its control plane does not have', () => {
    const overlay = { kind: 'Deployment', name: 'pilot', patches: [{ path: 'spec.replicas', value: 1 }] };
    const mesh = aMeshOperator({ upgrade, components: { pilot: { k8s: { overlays: [overlay] } } } });

    expect(findMeshProblems(mesh)).toMatchObject([
      { path: 'spec.components.pilot.k8s.overlays[0]', message: expect.stringContaining('there is no') },
    ]);
  });
});

function controlPlaneOf(mesh: ReturnType<typeof aMeshOperator>): MeshOperatorSpec {
  const waves = renderRevisions(mesh, resolveMesh(mesh), nothingObserved, aRenderContext());
  const name = `${mesh.metadata.name}-1-30-3`;
  return findObject(
    waves.flatMap(({ objects }) => objects),
    'MeshOperator',
    name,
  ).spec as MeshOperatorSpec;
}
