import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idOf, idText, type KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import { Applier } from '../../src/kube/apply/applier.ts';
import { renderIstioCrds } from '../../src/render/istio-crds.ts';
import { installCrds } from '../support/install-crds.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { installNetworkAttachmentDefinitions } from '../support/network-attachment-definition-crd.ts';
import { prometheusOperatorCrds } from '../support/prometheus-operator-crds.ts';
import { renderAll } from '../support/rendered-objects.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient } from '../support/test-client.ts';
import { wholeSpecs } from '../support/whole-specs.ts';

const specs = wholeSpecs.map((spec, index) => ({ index, spec }));
/** Their policies judge the objects of all others, also for a while after they are gone, so they come last. */
const judging = specs.filter(({ spec }) => resolveMesh(aMeshOperator(spec)).stableValidationPolicy);
const others = specs.filter((row) => !judging.includes(row));

describe('a valid spec, whatever fields it uses', () => {
  let api: TestClient;
  let applier: Applier;

  beforeAll(async () => {
    api = testClient((await sharedCluster()).kubeconfigPath);
    await installNetworkAttachmentDefinitions(api.client);
    await installCrds(api.client, await prometheusOperatorCrds());
    await installCrds(api.client, renderIstioCrds());
    applier = new Applier({ client: api.client, fieldManager: 'mesh-operator' });
  });

  afterAll(async () => {
    for (const crd of renderIstioCrds()) await api?.client.delete(idOf(crd), {}, never);
    await api?.connection.close();
  });

  it.each([...others, ...judging])(
    'gives objects that the API server takes and then keeps as they are (whole spec $index)',
    async ({ spec }) => {
      const namespace = await ownNamespace(api.client, 'whole');
      const rendered = renderAll(resolveMesh(aMeshOperator(spec, { namespace })));
      const objects = rendered.filter(({ kind }) => kind !== 'CustomResourceDefinition');
      await ensureNamespaces(objects, namespace);

      const refused: string[] = [];
      for (const object of objects) await applyOrNote(object, refused);
      const changedAgain: string[] = [];
      for (const object of refused.length > 0 ? [] : objects) {
        const observed = await api.client.get(idOf(object), never);
        const { outcome, drift } = await applier.apply(object, observed, never);
        if (outcome !== 'unchanged') changedAgain.push(`${idText(idOf(object))}: ${JSON.stringify(drift)}`);
      }

      expect(refused).toEqual([]);
      expect(changedAgain).toEqual([]);
    },
  );

  async function applyOrNote(object: KubernetesObject, refused: string[]): Promise<void> {
    try {
      await applier.apply(object, undefined, never);
    } catch (error) {
      refused.push(String(error));
    }
  }

  /** Those that the spec names beside the mesh's own. */
  async function ensureNamespaces(objects: readonly KubernetesObject[], own: string): Promise<void> {
    const names = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
    for (const name of names) {
      if (name === own) continue;
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      await api.client.apply(object, { fieldManager: 'test' }, never);
    }
  }
});
