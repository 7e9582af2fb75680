import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idOf, idText, type KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { systemClock } from '../../src/base/clock.ts';
import { openConnection } from '../../src/kube/api-connection.ts';
import { Applier } from '../../src/kube/apply/applier.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { renderIstioCrds } from '../../src/render/istio-crds.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { resolveScenario, scenarioNames } from '../golden/render-scenario.ts';
import { installCrds } from '../support/install-crds.ts';
import { installNetworkAttachmentDefinitions } from '../support/network-attachment-definition-crd.ts';
import { prometheusOperatorCrds } from '../support/prometheus-operator-crds.ts';
import { aRenderContext } from '../support/render-context.ts';
import { renderAll } from '../support/rendered-objects.ts';

const context = aRenderContext({ ownerUid: '5c0ffee0-0000-4000-8000-000000000000' });
const rows = await Promise.all(
  (await scenarioNames()).map(async (scenario) => ({ scenario, mesh: await resolveScenario(scenario) })),
);
/** Their policies judge the objects of all others, also for a while after they are gone, so they come last. */
const judging = rows.filter(({ mesh }) => mesh.stableValidationPolicy);
const others = rows.filter((row) => !judging.includes(row));
const { signal } = new AbortController();

describe('what is rendered, on a real API server', () => {
  let cluster: Cluster;
  let client: KubeClient;
  let applier: Applier;

  beforeAll(async () => {
    cluster = await startCluster({ name: 'test-render', nodes: 'none', progress: () => {} });
    const connection = openConnection({ kubeconfig: cluster.kubeconfigPath }, systemClock);
    client = new KubeClient({ connection, clock: systemClock });
    await installNetworkAttachmentDefinitions(client);
    await installCrds(client, await prometheusOperatorCrds());
    await installCrds(client, renderIstioCrds(), 'mesh-operator');
    applier = new Applier({ client, fieldManager: 'mesh-operator' });
  });

  afterAll(async () => {
    await cluster.stop();
  });

  it.each([...others, ...judging])(
    'is accepted, and right after that needs no write: scenario $scenario',
    async ({ mesh }) => {
      const objects = renderAll(mesh, context);
      await ensureNamespaces(objects);

      const written = await applyEach(objects, () => undefined);
      const again = await applyEach(objects, (object) => client.get(idOf(object), signal));
      // Scenarios share names, and each is to be created anew.
      for (const object of objects) await client.delete(idOf(object), {}, signal);

      expect(written.filter(({ outcome }) => outcome === 'unchanged')).toEqual([]);
      expect(again.filter(({ outcome }) => outcome !== 'unchanged')).toEqual([]);
    },
  );

  it('is accepted, and right after that needs no write: Istio’s CRDs', async () => {
    const again = await applyEach(renderIstioCrds(), (crd) => client.get(idOf(crd), signal));

    expect(again.filter(({ outcome }) => outcome !== 'unchanged')).toEqual([]);
  });

  async function applyEach(
    objects: readonly KubernetesObject[],
    observe: (object: KubernetesObject) => KubernetesObject | undefined | Promise<KubernetesObject>,
  ) {
    const results: { readonly id: string; readonly outcome: string; readonly drift: readonly unknown[] }[] =
      [];
    for (const object of objects) {
      const { outcome, drift } = await applier.apply(object, await observe(object), signal);
      results.push({ id: idText(idOf(object)), outcome, drift });
    }
    return results;
  }

  async function ensureNamespaces(objects: readonly KubernetesObject[]): Promise<void> {
    const names = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
    for (const name of names) {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      await client.apply(namespace, { fieldManager: 'test' }, signal);
    }
  }
});
