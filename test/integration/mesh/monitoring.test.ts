import { afterAll, beforeAll, expect, test } from 'vitest';
import { idOf, idText, type KubernetesObject, type ObjectId } from '../../../src/api/kubernetes-object.ts';
import { stableJson } from '../../../src/base/stable-json.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { installCrds } from '../../support/install-crds.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { prometheusOperatorCrds } from '../../support/prometheus-operator-crds.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;
let mesh: TestMesh;
let crds: KubernetesObject[];

beforeAll(async () => {
  crds = await prometheusOperatorCrds();
  world = await MeshCluster.open();
  await world.startOperator();
  mesh = await world.createMesh({
    revision: 'watched',
    telemetry: { monitoring: { labels: { release: 'prometheus' } } },
  });
});

afterAll(async () => {
  await world?.close();
  for (const crd of crds) await world?.client.delete(idOf(crd), {}, never);
});

async function watching(): Promise<ObjectId[]> {
  return (await mesh.inventory()).filter(({ apiVersion }) => apiVersion === 'monitoring.coreos.com/v1');
}

function monitor(kind: string, name: string): ObjectId {
  return { apiVersion: 'monitoring.coreos.com/v1', kind, name, namespace: mesh.key.namespace };
}

function overview(): ObjectId {
  const { namespace } = mesh.key;
  return { apiVersion: 'v1', kind: 'ConfigMap', name: 'mesh-dashboard-overview-watched', namespace };
}

test('a mesh waits where no Prometheus Operator is, says so, and is Ready once its kinds are there', async () => {
  await mesh.untilReason('Ready', 'KindMissing');
  const said = await mesh.condition('Ready');
  const withoutIt = await world.client.find(overview(), never);
  await installCrds(world.client, crds);
  await mesh.until('Ready');

  const { namespace } = mesh.key;
  expect(withoutIt).toBeDefined();
  expect(said?.message).toMatch(/kind ServiceMonitor .* or take spec\.telemetry\.monitoring away/);
  expect((await watching()).map(idText).sort()).toEqual([
    `PodMonitor ${namespace}/mesh-proxies-watched`,
    `PrometheusRule ${namespace}/mesh-alerts-watched`,
    `ServiceMonitor ${namespace}/istiod-watched`,
  ]);
  expect(await mesh.condition('PoliciesReady')).toMatchObject({ status: 'True', reason: 'Healthy' });
});

test('a monitor that somebody deletes or turns elsewhere is as it was again, and so are the rules', async () => {
  const [ofProxies, ofIstiod] = [
    monitor('PodMonitor', 'mesh-proxies-watched'),
    monitor('ServiceMonitor', 'istiod-watched'),
  ];
  await world.client.delete(ofProxies, {}, never);
  await world.client.patch(
    ofIstiod,
    { type: 'merge', merge: { spec: { selector: { matchLabels: { app: 'other' } } } } },
    { fieldManager: 'somebody' },
    never,
  );

  const rules = monitor('PrometheusRule', 'mesh-alerts-watched');
  const before = (await world.client.get(rules, never)).spec;
  await world.client.patch(
    rules,
    { type: 'json', operations: [{ op: 'remove', path: '/spec/groups/0' }] },
    { fieldManager: 'somebody' },
    never,
  );

  await waitUntil({ what: 'all are as they were' }, async () => {
    const [proxies, istiod, alerts] = await Promise.all(
      [ofProxies, ofIstiod, rules].map((id) => world.client.find(id, never)),
    );
    const { selector } = (istiod?.spec ?? {}) as { selector?: { matchLabels: { app: string } } };
    return (
      proxies !== undefined &&
      selector?.matchLabels.app === 'istiod' &&
      stableJson(alerts?.spec) === stableJson(before)
    );
  });
});

test('a dashboard that somebody changes is as it was again', async () => {
  const { data } = await world.client.get(overview(), never);
  const [[file] = ['']] = Object.entries(data as Record<string, string>);
  await world.client.patch(
    overview(),
    { type: 'merge', merge: { data: { [file]: '{}' } } },
    { fieldManager: 'grafana' },
    never,
  );

  await waitUntil({ what: 'it is as it was' }, async () => {
    const found = await world.client.find(overview(), never);
    return stableJson(found?.data) === stableJson(data);
  });
});

test('what the spec no longer asks for goes', async () => {
  const before = (await mesh.inventory()).filter(
    ({ apiVersion, name }) => apiVersion === 'monitoring.coreos.com/v1' || name.startsWith('mesh-dashboard-'),
  );
  await mesh.change({ telemetry: { monitoring: { enabled: false } } });
  await mesh.untilStatus('nothing watches it', ({ inventory = [] }) =>
    inventory.every(({ kind, name }) => !before.some((one) => one.kind === kind && one.name === name)),
  );

  const left = await Promise.all(before.map((id) => world.client.find(id, never)));
  expect(before.length).toBe(7);
  expect(left.filter((object) => object !== undefined)).toEqual([]);
});
