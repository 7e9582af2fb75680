import { afterAll, beforeAll, expect, test } from 'vitest';
import { idText, type ObjectId } from '../../../src/api/kubernetes-object.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;
let operator: RunningOperator;

beforeAll(async () => {
  world = await MeshCluster.open();
  operator = await world.startOperator();
});

afterAll(() => world?.close());

test('another tag rolls istiod first and the gateways after it', async () => {
  const mesh = await world.createMesh();
  await mesh.until('Ready');
  const since = operator.log.length;

  await mesh.change({ tag: '1.31.0' });
  await mesh.until('Ready');

  expect(await imageOf(mesh, 'istiod')).toContain('/pilot:1.31.0');
  expect(await imageOf(mesh, 'istio-ingressgateway')).toContain('/proxyv2:1.31.0');
  const written = operator.log
    .slice(since)
    .filter(({ message, key }) => message === 'Applied object' && key === `${mesh.key.namespace}/mesh`)
    .map(({ object }) => String(object).replace(/^(\w+) \S+\/([a-z]+-[a-z]*).*/, '$1 $2'));
  expect(written).toEqual(['Deployment istiod-r', 'Deployment istio-ingressgateway']);
});

test('another MeshConfig changes the ConfigMap that istiod reads, and rolls nothing', async () => {
  const mesh = await world.createMesh();
  await mesh.until('Ready');
  const before = await generationsOf(mesh);

  await mesh.change({ meshConfig: { accessLogFile: '/dev/stdout' } });
  await mesh.until('Ready');

  const { revision } = await mesh.status();
  const { namespace } = mesh.key;
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `istio-${revision}` };
  const { data } = (await world.client.get(id, never)) as unknown as { data: { mesh: string } };
  expect(data.mesh).toContain('accessLogFile: /dev/stdout');
  expect(await generationsOf(mesh)).toEqual(before);
});

test('a field that the spec no longer names goes back to its default', async () => {
  const mesh = await world.createMesh({ components: { pilot: { k8s: { nodeSelector: { a: 'b' } } } } });
  await mesh.untilStatus('waits for a node', ({ inventory }) => (inventory?.length ?? 0) > 0);

  await mesh.change({ components: { pilot: { k8s: { nodeSelector: null } } } });
  await mesh.until('Ready');
});

test('gateways wait until istiod is healthy', async () => {
  const nowhere = { components: { pilot: { k8s: { nodeSelector: { nobody: 'has-this' } } } } };
  const mesh = await world.createMesh(nowhere);

  await mesh.untilStatus('waits for istiod', ({ conditions = [] }) =>
    conditions.some(
      ({ type, message }) => type === 'ControlPlaneReady' && message.includes('replicas available'),
    ),
  );
  const gateways = (await mesh.inventory()).filter(({ name }) => name.startsWith('istio-ingressgateway'));
  expect(gateways.length).toBeGreaterThan(0);
  for (const id of gateways) expect(await world.client.find(id, never), idText(id)).toBeUndefined();
  expect(await mesh.condition('GatewaysReady')).toMatchObject({ status: 'False' });
  expect(await mesh.condition('Ready')).toMatchObject({ status: 'False', reason: 'Progressing' });
  // As the CRD has it from the start: none is done.
  expect((await mesh.status()).observedGeneration).toBe(-1);

  await mesh.change({ components: { pilot: { k8s: { nodeSelector: null } } } });
  await mesh.until('Ready');
});

test('a gateway that the spec no longer names is removed with all it had, and nothing else is', async () => {
  const mesh = await world.createMesh({
    components: { ingressGateways: [{ name: 'stays' }, { name: 'goes' }] },
  });
  await mesh.until('Ready');
  const before = await mesh.inventory();
  const leaving = before.filter(({ name }) => name.startsWith('goes'));
  const staying = before.filter(({ name }) => !name.startsWith('goes'));
  const uids = await uidsOf(staying);
  expect(leaving.map(({ kind }) => kind).sort()).toEqual([
    ...['Deployment', 'HorizontalPodAutoscaler', 'Role', 'RoleBinding', 'Service', 'ServiceAccount'],
  ]);

  await mesh.change({ components: { ingressGateways: [{ name: 'stays' }] } });
  await mesh.until('Ready');

  expect(await mesh.inventory()).toEqual(staying);
  for (const id of leaving) expect(await world.client.find(id, never), idText(id)).toBeUndefined();
  expect(await uidsOf(staying)).toEqual(uids);
  expect((await mesh.status()).gateways?.map(({ name }) => name)).toEqual(['stays']);
});

test('an object that is no longer wanted is removed even when somebody took its labels away', async () => {
  const mesh = await world.createMesh({ components: { ingressGateways: [{ name: 'goes' }] } });
  await mesh.until('Ready');
  const { namespace } = mesh.key;
  const service = { apiVersion: 'v1', kind: 'Service', namespace, name: 'goes' };

  await mesh.change({ paused: { reason: 'a test' } });
  await mesh.until('Paused');
  const operations = [{ op: 'remove' as const, path: '/metadata/labels' }];
  await world.client.patch(service, { type: 'json', operations }, { fieldManager: 'kubectl-edit' }, never);
  await mesh.change({ paused: null, components: { ingressGateways: [] } });
  await mesh.until('Ready');

  expect(await world.client.find(service, never)).toBeUndefined();
});

test('a control plane that is turned off leaves the gateways and nothing of its own', async () => {
  const mesh = await world.createMesh();
  await mesh.until('Ready');

  await mesh.change({ components: { pilot: { enabled: false } } });
  await mesh.until('Ready');

  const left = (await mesh.inventory()).filter(({ name }) => name.startsWith('istiod'));
  expect(left).toEqual([]);
  expect(await mesh.condition('ControlPlaneReady')).toMatchObject({ status: 'True', reason: 'Disabled' });
  expect((await mesh.status()).revisions).toEqual([]);
});

test('the revision cannot be changed: it would be another mesh', async () => {
  const mesh = await world.createMesh();

  await expect(mesh.change({ revision: 'another' })).rejects.toThrow(/cannot be changed/);
});

async function imageOf(mesh: TestMesh, name: string): Promise<string> {
  const objects = await mesh.objects();
  const deployment = objects.find(
    (object) => object?.kind === 'Deployment' && object.metadata.name.startsWith(name),
  );
  return /"image":"([^"]*)"/.exec(JSON.stringify(deployment?.spec))?.[1] ?? '';
}

async function generationsOf(mesh: TestMesh): Promise<(number | undefined)[]> {
  const objects = await mesh.objects();
  return objects
    .filter((object) => object?.kind === 'Deployment')
    .map((object) => object?.metadata.generation);
}

async function uidsOf(ids: readonly ObjectId[]): Promise<(string | undefined)[]> {
  return Promise.all(ids.map(async (id) => (await world.client.get(id, never)).metadata.uid));
}

test('a version that proxies could not follow is refused with the way to it, and changes nothing', async () => {
  const mesh = await world.createMesh({ version: '1.29' });
  await mesh.until('Ready');
  const before = await generationsOf(mesh);

  await mesh.change({ version: '1.31' });
  await mesh.untilReason('Stalled', 'VersionSkew');

  expect((await mesh.condition('Stalled'))?.message).toContain('Set 1.30 first');
  expect((await mesh.status()).version).toBe('1.29.6');
  expect(await generationsOf(mesh)).toEqual(before);

  await mesh.change({ version: '1.30' });
  await mesh.until('Ready');
  await mesh.change({ version: '1.31' });
  await mesh.until('Ready');
  expect(await imageOf(mesh, 'istiod')).toContain('/pilot:1.31.1');
});
