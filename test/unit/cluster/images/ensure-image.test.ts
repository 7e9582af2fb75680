import { describe, expect, it } from 'vitest';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { defaultRelease } from '../../../cluster/images/ensure-image.ts';
import { pilotReference } from '../../../cluster/images/istiod.ts';
import { proxyReference } from '../../../cluster/images/proxyv2.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { containerOf, podTemplateOf, renderAll } from '../../../support/rendered-objects.ts';

describe('the images of Istio', () => {
  it('have the names that a MeshOperator without hub and tag asks for', () => {
    const mesh = resolveMesh(aMeshOperator());

    expect(pilotReference(defaultRelease)).toBe(mesh.pilot.image);
    expect(containerOf(podTemplateOf(renderAll(mesh), 'istio-ingressgateway')).image).toBe(
      proxyReference(defaultRelease),
    );
  });

  it('have the names that a MeshOperator with hub and tag asks for', () => {
    const release = { hub: 'registry.example/mesh', tag: '1.31.0-patched' };
    const mesh = resolveMesh(aMeshOperator(release));

    expect(pilotReference(release)).toBe(mesh.pilot.image);
    expect(containerOf(podTemplateOf(renderAll(mesh), 'istio-ingressgateway')).image).toBe(
      proxyReference(release),
    );
  });
});
