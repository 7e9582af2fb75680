import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { meshStanding } from '../../../src/api/mesh-standing.ts';
import { ResolvedMeshCache } from '../../../src/api/resolved-mesh-cache.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

const now = new Date('2026-01-01T12:00:00Z');

function aStored(spec: MeshOperatorSpec, deletionTimestamp?: string): KubernetesObject {
  const mesh = aMeshOperator(spec) as unknown as KubernetesObject;
  const deleted = deletionTimestamp === undefined ? {} : { deletionTimestamp };
  return { ...mesh, metadata: { ...mesh.metadata, uid: 'b7c1', generation: 1, ...deleted } };
}

function standingOf(object: KubernetesObject | undefined, isAllowed = true) {
  return meshStanding(object, new ResolvedMeshCache(() => isAllowed), now);
}

describe('meshStanding', () => {
  it('is active for a mesh that is asked for, with what its spec comes to', () => {
    const object = aStored({ hub: 'registry.example.com/istio' });

    expect(standingOf(object)).toMatchObject({
      ...{ standing: 'Active', object },
      mesh: { hub: 'registry.example.com/istio' },
    });
  });

  it.each([
    { name: 'that there is not', object: undefined },
    { name: 'that is being deleted', object: aStored({}, '2026-01-01T11:00:00Z') },
    {
      name: 'that is paused and being deleted',
      object: aStored({ paused: { reason: 'audit' } }, '2026-01-01T11:00:00Z'),
    },
  ])('is gone for a mesh $name', ({ object }) => {
    expect(standingOf(object)).toEqual({ standing: 'Gone' });
  });

  it.each([
    { name: 'as long as somebody pauses it', spec: { paused: { reason: 'audit' } }, endsInMs: undefined },
    {
      name: 'until its pause ends',
      spec: { paused: { reason: 'audit', until: '2026-01-01T12:01:00Z' } },
      endsInMs: 60_000,
    },
    { name: 'with a spec that is not valid', spec: { version: '0.1' }, endsInMs: undefined },
  ])('leaves a mesh at rest $name', ({ spec, endsInMs }) => {
    expect(standingOf(aStored(spec))).toEqual({ standing: 'AtRest', endsInMs });
  });

  it('leaves a mesh at rest that may not be acted on, and acts on one whose pause has ended', () => {
    expect(standingOf(aStored({}), false)).toEqual({ standing: 'AtRest', endsInMs: undefined });
    const paused = { reason: 'audit', until: '2026-01-01T11:59:59Z' };
    expect(standingOf(aStored({ paused }))).toMatchObject({ standing: 'Active' });
  });
});
