import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { idText, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
});

afterAll(() => world?.close());

describe('a revision belongs to one mesh of the cluster', () => {
  test('the younger of two says whose it is, and gets it when the older goes', async () => {
    const revision = uniqueName('r');
    // Ages are whole seconds; of two equally old ones the first by name is the older.
    const older = await world.createMesh(
      { revision },
      { namespace: await world.ownNamespace('a'), name: 'a' },
    );
    await older.until('Ready');
    const younger = await world.createMesh(
      { revision },
      { namespace: await world.ownNamespace('b'), name: 'b' },
    );

    await younger.until('Stalled');
    expect(await younger.condition('Stalled')).toMatchObject({
      reason: 'RevisionConflict',
      message: expect.stringContaining(`${older.key.namespace}/a`),
    });
    expect(await younger.inventory()).toEqual([]);
    expect((await older.status()).state).toBe('Ready');

    await older.delete();
    await younger.until('Ready');
    await older.untilGone();
  });
});

describe('an object that exists and is not ours', () => {
  test('stops the mesh with a message, and is left as it is, also when the mesh is deleted', async () => {
    const theirs = aService(await world.ownNamespace(), 'public');
    await world.client.create(theirs, { fieldManager: 'helm' }, never);
    const before = await readService(theirs);
    const mesh = await world.createMesh(
      { components: { ingressGateways: [{ name: 'public' }] } },
      { namespace: theirs.metadata.namespace ?? '' },
    );

    await mesh.until('Stalled');

    const message = `Service ${theirs.metadata.namespace}/public exists already and is managed by helm`;
    expect(await mesh.condition('Stalled')).toMatchObject({
      reason: 'ObjectExists',
      message: expect.stringContaining(message),
    });
    await mesh.delete();
    await mesh.untilGone();
    expect((await readService(theirs)).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });

  test('is made by us as soon as it is gone and the mesh is looked at again', async () => {
    const theirs = aService(await world.ownNamespace(), 'public');
    await world.client.create(theirs, { fieldManager: 'helm' }, never);
    const mesh = await world.createMesh(
      { components: { ingressGateways: [{ name: 'public' }] } },
      { namespace: theirs.metadata.namespace ?? '' },
    );
    await mesh.until('Stalled');

    await world.cluster.kubectl('delete', 'service', 'public', '-n', mesh.key.namespace);
    await mesh.change({ meshConfig: { accessLogFile: '/dev/stdout' } });

    await mesh.until('Ready');
  });

  test('is not taken over even if it has none of our fields', async () => {
    const namespace = await world.ownNamespace();
    const name = 'public-service-account';
    await world.cluster.kubectl('create', 'serviceaccount', name, '-n', namespace);
    const id = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
    const before = await world.client.get(id, never);
    const mesh = await world.createMesh(
      { components: { ingressGateways: [{ name: 'public' }] } },
      { namespace },
    );

    await mesh.until('Stalled');
    await mesh.delete();
    await mesh.untilGone();

    expect(await world.client.get(id, never)).toEqual(before);
  });
});

describe('two meshes of one namespace', () => {
  test('live beside each other when revisions and gateways differ', async () => {
    const namespace = await world.ownNamespace();
    const first = await world.createMesh(gateways('first'), { namespace, name: 'first' });
    const second = await world.createMesh(gateways('second'), { namespace, name: 'second' });

    await first.until('Ready');
    await second.until('Ready');
    const shared = new Set((await first.inventory()).map(idText));
    expect((await second.inventory()).filter((id) => shared.has(idText(id)))).toEqual([]);

    await first.delete();
    await first.untilGone();
    await second.until('Ready');
    expect((await second.objects()).filter((object) => object === undefined)).toEqual([]);
  });

  test('cannot share a gateway: the younger says whose it is', async () => {
    const namespace = await world.ownNamespace();
    const first = await world.createMesh(gateways('public'), { namespace, name: 'first' });
    await first.until('Ready');

    const second = await world.createMesh(gateways('public'), { namespace, name: 'second' });
    await second.until('Stalled');

    expect(await second.condition('Stalled')).toMatchObject({
      reason: 'OwnedByOther',
      message: expect.stringContaining(`belongs to MeshOperator ${namespace}/first`),
    });
    await second.delete();
    await second.untilGone();
    expect((await first.objects()).filter((object) => object === undefined)).toEqual([]);
    expect((await first.status()).state).toBe('Ready');
  });
});

describe('a gateway in a namespace that does not exist', () => {
  test('waits with a message that names it, and is made when the namespace is there', async () => {
    const elsewhere = uniqueName('elsewhere');
    const mesh = await world.createMesh({
      components: { ingressGateways: [{ name: 'public', namespace: elsewhere }] },
    });

    await mesh.untilStatus('names the namespace', ({ conditions = [] }) =>
      conditions.some(
        ({ type, reason, message }) =>
          type === 'Ready' &&
          reason === 'NamespaceMissing' &&
          message.includes(`Namespace ${elsewhere} does not exist`),
      ),
    );
    expect(await mesh.condition('ControlPlaneReady')).toMatchObject({ status: 'True' });

    await world.createNamespace(elsewhere);
    await mesh.until('Ready');
    expect((await gatewayOf(mesh)).namespace).toBe(elsewhere);
  });
});

test('one broken mesh, whatever is in it, slows no other', async () => {
  const taken = await world.ownNamespace();
  await world.client.create(aService(taken, 'public'), { fieldManager: 'helm' }, never);
  const nowhere = { k8s: { nodeSelector: { nobody: 'has-this' } } };
  const broken = await Promise.all([
    ...Array.from({ length: 3 }, () => world.createMesh({ meshConfig: { nonsense: true } })),
    ...Array.from({ length: 3 }, () =>
      world.createMesh({ components: { ingressGateways: [{ name: 'x', namespace: uniqueName('none') }] } }),
    ),
    ...Array.from({ length: 3 }, () => world.createMesh({ components: { pilot: nowhere } })),
    world.createMesh(gateways('public'), { namespace: taken }),
  ]);
  await broken[0]?.until('Stalled');

  const good = await world.createMesh();
  await good.until('Ready');

  const states = await Promise.all(broken.map(async (mesh) => (await mesh.status()).state));
  expect(states).not.toContain('Ready');
});

function gateways(...names: string[]) {
  return { components: { ingressGateways: names.map((name) => ({ name })) } };
}

function aService(namespace: string, name: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ name: 'theirs', port: 1234 }], selector: { app: 'theirs' } },
  };
}

function readService({ metadata: { name, namespace = '' } }: KubernetesObject): Promise<KubernetesObject> {
  return world.client.get({ apiVersion: 'v1', kind: 'Service', namespace, name }, never);
}

async function gatewayOf(mesh: TestMesh): Promise<{ namespace: string; name: string }> {
  const [gateway] = (await mesh.status()).gateways ?? [];
  if (gateway === undefined) throw new Error('the status names no gateway');
  return gateway;
}
