import { expect, test } from 'vitest';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { nothingObserved } from '../../../src/render/observed-mesh.ts';
import { renderMeshOperator } from '../../../src/render/render-mesh-operator.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { aRenderContext } from '../../support/render-context.ts';

const held = { name: 'default', namespace: 'istio-system', mode: 'PERMISSIVE', ports: [] } as const;

test.each(['InPlace', 'RevisionBased'] as const)(
  'renders the policies that are in force meanwhile, in a mesh whose upgrades are %s',
  (strategy) => {
    const mesh = aMeshOperator({ upgrade: { strategy }, security: { mtls: { mode: 'STRICT' } } });
    const modes = (observed: typeof nothingObserved) =>
      renderMeshOperator(mesh, resolveMesh(mesh), observed, aRenderContext())
        .flatMap(({ objects }) => objects)
        .filter(({ kind }) => kind === 'PeerAuthentication')
        .map(({ spec }) => spec);

    expect(modes(nothingObserved)).toEqual([{ mtls: { mode: 'STRICT' } }]);
    expect(modes({ ...nothingObserved, peers: [held] })).toEqual([{ mtls: { mode: 'PERMISSIVE' } }]);
  },
);
