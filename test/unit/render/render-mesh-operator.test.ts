import { describe, expect, test } from 'vitest';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
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

describe('the istiod of another cluster', () => {
  const followed = { multiCluster: { meshID: 'shop', clusterName: 'west', role: 'Remote' } } as const;

  function istiodOf(spec: MeshOperatorSpec, primaryAddresses?: readonly string[]) {
    const mesh = aMeshOperator(spec);
    return renderMeshOperator(
      mesh,
      resolveMesh(mesh),
      { ...nothingObserved, primaryAddresses },
      aRenderContext(),
    )
      .flatMap(({ objects }) => objects)
      .filter(
        ({ kind, metadata }) =>
          ['Service', 'EndpointSlice'].includes(kind) && metadata.name.startsWith('istiod'),
      )
      .map(({ kind, metadata, spec: service, addressType, endpoints }) => ({
        ...{ kind, name: metadata.name, addressType },
        ...(kind === 'Service'
          ? { externalName: (service as { externalName?: string }).externalName }
          : { endpoints }),
      }));
  }

  test('is rendered by what that cluster says as by the address of the spec', () => {
    const named = { ...followed, values: { global: { remotePilotAddress: '192.0.2.7' } } };

    expect(istiodOf(followed, ['192.0.2.7'])).toEqual(istiodOf(named));
    expect(istiodOf(named, ['192.0.2.9'])).toEqual(istiodOf(named));
  });

  test('has a slice for each family of its addresses, and none of names beside them', () => {
    expect(istiodOf(followed, ['192.0.2.7', 'east.example.com', '2001:db8::7', '192.0.2.8'])).toEqual([
      { kind: 'Service', name: 'istiod', addressType: undefined, externalName: undefined },
      {
        ...{ kind: 'EndpointSlice', name: 'istiod', addressType: 'IPv4' },
        endpoints: [{ addresses: ['192.0.2.7'] }, { addresses: ['192.0.2.8'] }],
      },
      {
        ...{ kind: 'EndpointSlice', name: 'istiod-ipv6', addressType: 'IPv6' },
        endpoints: [{ addresses: ['2001:db8::7'] }],
      },
    ]);
  });

  test('is a name for the first host name where there is no IP address', () => {
    expect(istiodOf(followed, ['a.example.com', 'b.example.com'])).toEqual([
      { kind: 'Service', name: 'istiod', addressType: undefined, externalName: 'a.example.com' },
    ]);
  });

  test('is not rendered while nobody has said where it is', () => {
    expect(istiodOf(followed)).toEqual([]);
  });
});
