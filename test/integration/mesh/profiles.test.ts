import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import type { ObjectId } from '../../../src/api/kubernetes-object.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never } from '../../support/test-client.ts';

const sliceKind = kindInfo('discovery.k8s.io/v1', 'EndpointSlice');

let world: MeshCluster;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
});

afterAll(() => world?.close());

async function existing(ids: readonly ObjectId[]): Promise<string[]> {
  const found = await Promise.all(ids.map((id) => world.client.find(id, never)));
  return found.flatMap((object) => (object === undefined ? [] : [object.kind]));
}

test.each(['preview', 'stable'] as const)(
  'a mesh of profile %s becomes Ready, and leaves nothing',
  async (profile) => {
    const mesh = await world.createMesh({ profile });
    await mesh.until('Ready');
    const inventory = await mesh.inventory();

    await mesh.delete();
    await mesh.untilGone();

    expect(inventory.length).toBeGreaterThan(10);
    expect(await existing(inventory)).toEqual([]);
  },
);

test('a remote mesh is Ready with the istiod of another cluster behind its Service, and follows its address', async () => {
  const mesh = await world.createMesh({
    profile: 'remote',
    values: { global: { remotePilotAddress: '192.0.2.7' } },
  });
  await mesh.until('Ready');
  const { namespace } = mesh.key;
  const addresses = async () => {
    const { items } = await world.client.list(sliceKind, { namespace }, never);
    return items.flatMap(({ endpoints }) =>
      (endpoints as { addresses: string[] }[]).flatMap((one) => one.addresses),
    );
  };
  expect(await addresses()).toEqual(['192.0.2.7']);

  await mesh.change({ values: { global: { remotePilotAddress: '192.0.2.8' } } });
  await mesh.until('Ready');
  expect(await addresses()).toEqual(['192.0.2.8']);

  await mesh.change({ values: { global: { remotePilotAddress: 'istiod.west.example.com' } } });
  await waitUntil({ what: 'the slice is gone' }, async () => (await addresses()).length === 0);
  await mesh.until('Ready');
  const inventory = await mesh.inventory();
  await mesh.delete();
  await mesh.untilGone();
  expect(await existing(inventory)).toEqual([]);
});

test('a mesh with gateways keeps the slices that Kubernetes makes for its Services', async () => {
  const mesh = await world.createMesh();
  await mesh.until('Ready');
  const { namespace } = mesh.key;

  const { items } = await world.client.list(sliceKind, { namespace }, never);

  expect(items.length).toBeGreaterThan(1);
  expect((await mesh.inventory()).filter(({ kind }) => kind === 'EndpointSlice')).toEqual([]);
  await mesh.delete();
  await mesh.untilGone();
});
