import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { idText, keyText } from '../../../src/api/kubernetes-object.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

/** Writes of a mesh's own: its objects, its finalizer, its status; not the Lease, CRDs and Events. */
const ofTheMesh = { isWrite: true, path: /^(?!.*(leases|customresourcedefinitions|events)).*$/ };

let world: MeshCluster;
let proxy: FaultProxy;
let objectCount: number;

beforeAll(async () => {
  world = await MeshCluster.open();
  proxy = await FaultProxy.start(world.access.kubeconfig);
  const operator = await world.startOperator();
  const mesh = await world.createMesh();
  await mesh.until('Ready');
  objectCount = (await mesh.inventory()).length;
  await operator.end();
});

afterEach(() => world.endOperators());

afterAll(async () => {
  await world?.close();
  await proxy?.stop();
});

/** How many writes of an install get through before the operator is killed. */
const instants = [0, 1, 2, 5, 8, 11, 14, 17, 20];

test.each(instants)(
  'an operator killed in an install after write %i ends it when it is back',
  async (count) => {
    // A container that is restarted keeps the pod's name, and with it the Lease.
    const flags = ['--lease-name', uniqueName('lease'), '--identity', 'pod'];
    for (let write = 0; write < count; write += 1) void proxy.nextArrival(ofTheMesh);
    const next = proxy.holdNext(ofTheMesh);
    const operator = world.launchOperator(flags, proxy.kubeconfig);
    const mesh = await world.createMesh();
    await next.arrived;
    expect(await operator.end('SIGKILL')).toBe('SIGKILL');
    next.release();

    world.launchOperator(flags, proxy.kubeconfig);
    await mesh.until('Ready');

    await expectWhole(mesh);
  },
);

test('an operator killed again and again while it deletes a mesh ends it when it is back', async () => {
  const flags = ['--lease-name', uniqueName('lease'), '--identity', 'pod'];
  let operator = world.launchOperator(flags, proxy.kubeconfig);
  const mesh = await world.createMesh();
  await mesh.until('Ready');
  const inventory = await mesh.inventory();

  await mesh.delete();
  for (let kill = 0; kill < 3; kill += 1) {
    void proxy.nextArrival({ method: 'DELETE' });
    const second = proxy.holdNext({ method: 'DELETE' });
    await second.arrived;
    await operator.end('SIGKILL');
    second.release();
    operator = world.launchOperator(flags, proxy.kubeconfig);
  }
  await mesh.untilGone();

  expect(inventory.length).toBe(objectCount);
});

test('an operator killed between two waves goes on with the next', async () => {
  const flags = ['--lease-name', uniqueName('lease'), '--identity', 'pod'];
  const operator = world.launchOperator(flags, proxy.kubeconfig);
  const mesh = await world.createMesh({
    components: { pilot: { k8s: { nodeSelector: { nobody: 'has-this' } } } },
  });
  await mesh.untilStatus('waits for istiod', ({ conditions = [] }) =>
    conditions.some(({ message }) => message.includes('replicas available')),
  );
  await operator.end('SIGKILL');

  await mesh.change({ components: { pilot: { k8s: { nodeSelector: null } } } });
  world.launchOperator(flags, proxy.kubeconfig);
  await mesh.until('Ready');

  await expectWhole(mesh);
});

/** As many objects as an undisturbed install makes, all there, and each of them this mesh's. */
async function expectWhole(mesh: TestMesh): Promise<void> {
  expect(await mesh.inventory()).toHaveLength(objectCount);
  const inventory = await mesh.inventory();
  for (const [index, object] of (await mesh.objects()).entries()) {
    const { 'meshoperator.dev/mesh': name, 'meshoperator.dev/mesh-namespace': namespace } =
      object?.metadata.labels ?? {};
    const id = inventory[index];
    expect(`${namespace}/${name}`, id && idText(id)).toBe(keyText(mesh.key));
  }
}
