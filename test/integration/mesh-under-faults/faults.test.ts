import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keyText, type ObjectId } from '../../../src/api/kubernetes-object.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

const outageTimeout = 120_000;

let world: MeshCluster;
let proxy: FaultProxy;
let operator: RunningOperator;

beforeAll(async () => {
  world = await MeshCluster.open();
});

beforeEach(async () => {
  proxy = await FaultProxy.start(world.access.kubeconfig);
  operator = await world.startOperator([], proxy.kubeconfig);
});

afterEach(async () => {
  await operator.end();
  await proxy.stop();
});

afterAll(() => world?.close());

describe('during an install', () => {
  test('429s with Retry-After lose nothing, and are answered with a wait', async () => {
    proxy.failNext({ isWrite: true }, { status: 429, retryAfterSeconds: 1, reason: 'TooManyRequests' }, 12);

    const mesh = await world.createMesh();
    await mesh.until('Ready');

    expect(proxy.requests.filter(({ status }) => status === 429)).toHaveLength(12);
    await expectWhole(mesh);
  });

  test('500s and cut connections lose nothing', async () => {
    proxy.failNext({ isWrite: true, path: /services|rolebindings/ }, { status: 500 }, 4);
    proxy.cutNext({ isWrite: true, path: /deployments|serviceaccounts/ }, 4);

    const mesh = await world.createMesh();
    await mesh.until('Ready');

    await expectWhole(mesh);
  });

  test('an outage of the connection loses nothing', async () => {
    const written = proxy.nextArrival({ isWrite: true, path: /deployments/ });
    const mesh = await world.createMesh();
    await written;

    await proxy.refuseConnections();
    await operator.untilLogged('Informer interrupted', {}, { times: 13 });
    await proxy.acceptConnections();
    await mesh.until('Ready');

    await expectWhole(mesh);
  });

  test('a restart of the API server after 5 s loses nothing', { timeout: outageTimeout }, async () => {
    const written = proxy.nextArrival({ isWrite: true, path: /deployments/ });
    const mesh = await world.createMesh();
    await written;

    await restartApiServerAfter(5_000);
    await mesh.until('Ready');

    await expectWhole(mesh);
  });
});

describe('while idle', () => {
  let mesh: TestMesh;

  beforeEach(async () => {
    mesh = await world.createMesh();
    await mesh.until('Ready');
  });

  test('dropped watches go on without a list, and miss no change', async () => {
    const lists = proxy.requestsLike({ isList: true }).length;

    expect(proxy.dropWatches()).toBeGreaterThan(12);
    await deleteAll();
    await untilWhole(mesh);

    expect(proxy.requestsLike({ isList: true })).toHaveLength(lists);
  });

  test('watches that expired (410) list again, and miss no change', async () => {
    proxy.failNext({ isWatch: true, path: /services$/ }, { status: 410, reason: 'Expired' });
    const lists = proxy.requestsLike({ isList: true, path: /services$/ }).length;

    proxy.dropWatches({ path: /services$/ });
    await world.client.delete(await serviceOf(mesh), {}, never);
    await untilWhole(mesh);

    expect(proxy.requestsLike({ isList: true, path: /services$/ })).toHaveLength(lists + 1);
  });

  test('drift during an outage of the connection is repaired after it', async () => {
    await proxy.refuseConnections();
    await deleteAll();
    await operator.untilLogged('Informer interrupted', {}, { times: 13 });
    await proxy.acceptConnections();

    await untilWhole(mesh);
  });

  test('drift after a restart of the API server is repaired', { timeout: outageTimeout }, async () => {
    await restartApiServerAfter(5_000);

    await deleteAll();
    await untilWhole(mesh);
  });

  test('429s in answer to repairs lose nothing', async () => {
    proxy.failNext({ isWrite: true }, { status: 429, retryAfterSeconds: 1, reason: 'TooManyRequests' }, 8);

    await deleteAll();
    await untilWhole(mesh);
  });

  async function deleteAll(): Promise<void> {
    for (const id of await mesh.inventory()) await world.client.delete(id, {}, never);
  }
});

/**
 * The outage is the subject. The cluster's own servers start again too, since they would wait out their back-off;
 * but not KWOK, which would wait for the Lease that it holds on its node.
 */
async function restartApiServerAfter(outageMs: number): Promise<void> {
  const others = ['kube-controller-manager', 'kube-scheduler', 'load-balancer'];
  const { cluster } = world;
  await cluster.stopServer('kube-apiserver');
  await new Promise((resolve) => setTimeout(resolve, outageMs));
  await cluster.startServer('kube-apiserver');
  for (const server of others)
    if (cluster.state.supervisors[server] !== undefined) await cluster.kill(server);
}

async function serviceOf(mesh: TestMesh): Promise<ObjectId> {
  const id = (await mesh.inventory()).find(({ kind }) => kind === 'Service');
  if (id === undefined) throw new Error('the mesh has no Service');
  return id;
}

async function untilWhole(mesh: TestMesh): Promise<void> {
  const explain = async () => operator.tail();
  await waitUntil({ what: `${keyText(mesh.key)} is whole again`, explain }, async () =>
    (await mesh.objects()).every(
      (object) => object !== undefined && object.metadata.deletionTimestamp === undefined,
    ),
  );
  await mesh.until('Ready');
}

async function expectWhole(mesh: TestMesh): Promise<void> {
  expect((await mesh.objects()).filter((object) => object === undefined)).toEqual([]);
  expect((await mesh.inventory()).length).toBeGreaterThan(15);
}
