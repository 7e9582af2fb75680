import { describe, expect, it } from 'vitest';
import { ownerByLabels, ownershipLabels } from '../../../src/api/labels.ts';

const mesh = { name: 'mesh', namespace: 'istio-system' };

describe('ownerByLabels', () => {
  it('leads from an object’s labels back to its mesh', () => {
    expect(ownerByLabels({ app: 'istiod', ...ownershipLabels(mesh) })).toEqual(mesh);
  });

  it.each([
    { what: 'has no labels', labels: undefined },
    {
      what: 'is managed by others',
      labels: { ...ownershipLabels(mesh), 'app.kubernetes.io/managed-by': 'Helm' },
    },
    {
      what: 'belongs to no mesh, as Istio’s CRDs',
      labels: { 'app.kubernetes.io/managed-by': 'mesh-operator' },
    },
  ])('finds no mesh for an object that $what', ({ labels }) => {
    expect(ownerByLabels(labels)).toBeUndefined();
  });
});
