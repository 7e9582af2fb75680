import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { ResolvedMeshCache } from '../../../src/api/resolved-mesh-cache.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

function aStored(generation: number, spec: Parameters<typeof aMeshOperator>[0]): KubernetesObject {
  const mesh = aMeshOperator(spec) as unknown as KubernetesObject;
  return { ...mesh, metadata: { ...mesh.metadata, uid: 'b7c1', generation } };
}

describe('ResolvedMeshCache', () => {
  it('resolves a mesh once for each generation', () => {
    const cache = new ResolvedMeshCache(() => true);
    const first = cache.of(aStored(1, {}));

    expect(cache.of(aStored(1, {}))).toBe(first);
    expect(cache.of(aStored(2, { hub: 'registry.example.com/istio' })).hub).toBe(
      'registry.example.com/istio',
    );
  });

  it('throws what is wrong with a spec, each time', () => {
    const cache = new ResolvedMeshCache(() => true);
    const bad = aStored(1, { version: '0.1' });

    expect(() => cache.of(bad)).toThrow(/spec.version/);
    expect(() => cache.of(bad)).toThrow(/spec.version/);
    expect(cache.find(bad)).toBeUndefined();
    expect(cache.find(aStored(2, {}))).toBe(cache.of(aStored(2, {})));
  });

  it('finds nothing where the mesh may not be acted on', () => {
    const cache = new ResolvedMeshCache(({ metadata }) => metadata.generation !== 2);

    expect(cache.find(aStored(1, {}))).toBeDefined();
    expect(cache.find(aStored(2, {}))).toBeUndefined();
  });
});
