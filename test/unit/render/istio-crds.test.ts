import { describe, expect, it } from 'vitest';
import { ownerByLabels } from '../../../src/api/labels.ts';
import { istioCrdsVersionAnnotation, renderIstioCrds } from '../../../src/render/istio-crds.ts';

describe('renderIstioCrds', () => {
  it('gives every kind that istiod reads', () => {
    const kinds = renderIstioCrds().map(({ spec }) => (spec as { names: { kind: string } }).names.kind);

    expect(kinds).toEqual(
      expect.arrayContaining(['VirtualService', 'Gateway', 'AuthorizationPolicy', 'Telemetry', 'WasmPlugin']),
    );
  });

  it('names no mesh as owner: the CRDs belong to the cluster', () => {
    for (const { metadata } of renderIstioCrds()) {
      expect(ownerByLabels(metadata.labels), metadata.name).toBeUndefined();
      expect(metadata.ownerReferences).toBeUndefined();
    }
  });

  it('says of which release they are, so that newer ones are not replaced', () => {
    for (const { metadata } of renderIstioCrds()) {
      expect(metadata.annotations?.[istioCrdsVersionAnnotation]).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });
});
