import { afterAll, beforeAll, expect, test } from 'vitest';
import { isWrite } from '../../support/audit-log.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;
let mesh: TestMesh;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
  mesh = await world.createMesh();
  await mesh.until('Ready');
});

afterAll(() => world?.close());

test('a paused mesh says so, and nothing of it is written until it goes on', async () => {
  const { namespace } = mesh.key;
  const { revision } = await mesh.status();
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: `istiod-${revision}` };
  await mesh.change({ paused: { reason: 'debugging istiod' } });
  await mesh.until('Paused');
  await world.audit.restart();

  await world.client.delete(deployment, {}, never);
  await mesh.change({ tag: '1.31.0' });
  await mesh.until('Paused');

  expect(await mesh.condition('Ready')).toMatchObject({ status: 'Unknown', reason: 'Paused' });
  expect((await mesh.condition('Ready'))?.message).toContain('debugging istiod');
  const writes = (await world.audit.requestsOf(world.access.user)).filter(isWrite);
  const forbidden = writes.filter(({ resource }) => !['meshoperators/status', 'leases'].includes(resource));
  expect(forbidden).toEqual([]);
  expect(await world.client.find(deployment, never)).toBeUndefined();

  await mesh.change({ paused: null });
  await mesh.until('Ready');
  expect(await world.client.get(deployment, never)).toMatchObject({ kind: 'Deployment' });
});

test('a pause with an end ends by itself', async () => {
  const until = new Date(Date.now() + 2_000).toISOString();

  await mesh.change({ paused: { reason: 'lunch', until } });
  await mesh.until('Paused');
  await mesh.until('Ready');

  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
});

test('a paused mesh can be deleted', async () => {
  const paused = await world.createMesh({ paused: { reason: 'never started' } });
  await paused.until('Paused');

  await paused.delete();

  await paused.untilGone();
});
