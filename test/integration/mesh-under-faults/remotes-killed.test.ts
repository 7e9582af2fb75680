import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { rotateRemotesAnnotation } from '../../../src/api/labels.ts';
import type { RemoteIdentity } from '../../../src/kube/remote-identity.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { identityIn, mayListServices, RemoteCluster } from '../../support/remote-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

/** What the remotes controller writes in the cluster of the mesh, but for its status. */
const ofRemotes = { isWrite: true, fieldManager: /^mesh-operator-remotes$/ };

/** All writes by which one credential follows another, in their order. */
const writes = ['next credential', 'delivery', 'Secret', 'promotion', 'end of the one before'].map(
  (what, index) => ({ write: index + 1, what }),
);

let world: MeshCluster;
let west: RemoteCluster;
let proxy: FaultProxy;
let mesh: TestMesh;
let namespace: string;
let operator: RunningOperator;
const operators: RunningOperator[] = [];
const tokens: string[] = [];
let requests = 0;

beforeAll(async () => {
  [world, west] = await Promise.all([MeshCluster.open('none'), RemoteCluster.start(uniqueName('west'))]);
  proxy = await FaultProxy.start(world.access.kubeconfig);
  namespace = await world.ownNamespace('killed');
  await west.createNamespace(namespace);
  const stringData = { kubeconfig: await west.kubeconfig() };
  const metadata = { name: 'west', namespace };
  await world.cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, stringData }));
  startOperator();
  mesh = await world.createMesh(
    {
      profile: 'empty',
      multiCluster: {
        ...{ meshID: 'shop', clusterName: 'east' },
        remotes: [{ clusterName: 'west', kubeconfig: { secretName: 'west' } }],
      },
    },
    { namespace },
  );
  await untilAtRest();
});

afterAll(async () => {
  await world?.close();
  await west?.close();
  await proxy?.stop();
});

test('a replacement that nobody disturbs makes these writes', async () => {
  const before = proxy.requestsLike(ofRemotes).length;

  await expectReplaced(await askForAnother());

  expect(proxy.requestsLike(ofRemotes).length - before).toBe(writes.length);
});

test.each(writes)(
  'an operator killed before write $write ($what) is followed by one that ends it',
  async ({ write }) => {
    for (let count = 1; count < write; count += 1) void proxy.nextArrival(ofRemotes);
    const held = proxy.holdNext(ofRemotes);
    const before = await askForAnother();
    await held.arrived;
    await operator.end('SIGKILL');
    held.cut();

    startOperator();

    await expectReplaced(before);
  },
);

test.each(writes)(
  'an operator killed after write $write ($what) is followed by one that ends it',
  async ({ write }) => {
    for (let count = 1; count < write; count += 1) void proxy.nextArrival(ofRemotes);
    const held = proxy.holdNextAnswer(ofRemotes);
    const before = await askForAnother();
    await held.answered;
    await operator.end('SIGKILL');
    held.cut();

    startOperator();

    await expectReplaced(before);
  },
);

test('no token is in the log, the status or an Event', async () => {
  const events = await world.client.list(kindInfo('v1', 'Event'), { namespace }, never);
  const texts = [
    JSON.stringify(operators.flatMap(({ log }) => log)),
    JSON.stringify(await mesh.read()),
    JSON.stringify(events.items),
  ];

  expect(tokens.length).toBeGreaterThan(writes.length);
  expect(texts.map((text) => text.length)).toEqual(texts.map(() => expect.toSatisfy((size) => size > 500)));
  expect(tokens.filter((token) => texts.some((text) => text.includes(token)))).toEqual([]);
});

function startOperator(): void {
  const flags = ['--lease-name', 'remotes-killed', '--identity', 'pod'];
  operator = world.launchOperator(flags, proxy.kubeconfig);
  operators.push(operator);
}

/** Gives whom istiod is in the other cluster before. */
async function askForAnother(): Promise<RemoteIdentity> {
  await untilAtRest();
  const before = await identity();
  tokens.push((before.credential as { token: string }).token);
  requests += 1;
  const merge = { metadata: { annotations: { [rotateRemotesAnnotation]: `request-${requests}` } } };
  await world.client.patch(mesh.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  return before;
}

/** Another token is in use, the one before is refused, and nothing else is left of it. */
async function expectReplaced(before: RemoteIdentity): Promise<void> {
  await waitUntil({ what: 'the token of before is refused', intervalMs: 200 }, async () => {
    return (await mayListServices(before)) === 'Unauthorized';
  });
  expect(await mayListServices(await identity())).toBe(true);
  await untilAtRest();
  expect(await holders()).toHaveLength(1);
}

/** The stored credential is the one and only. */
async function untilAtRest(): Promise<void> {
  const name = `${namespace}.mesh.remote.west`;
  const id = { apiVersion: 'v1', kind: 'Secret', namespace: operatorNamespace, name };
  const explain = async () => JSON.stringify(await mesh.status()) + operator.tail();
  await waitUntil({ what: 'the credential is at rest', intervalMs: 100, explain }, async () => {
    const data = (await world.client.find(id, never))?.data as Record<string, string> | undefined;
    return (
      Object.keys(data ?? {})
        .sort()
        .join() === 'access.json,current.token,state.json'
    );
  });
}

async function identity(): Promise<RemoteIdentity> {
  const id = { apiVersion: 'v1', kind: 'Secret', namespace, name: 'istio-remote-secret-west' };
  return identityIn(await world.client.get(id, never), 'west');
}

async function holders(): Promise<string[]> {
  const options = { namespace, labelSelector: 'meshoperator.dev/reader-of=east' };
  const { items } = await west.client.list(kindInfo('v1', 'Secret'), options, never);
  return items.map(({ metadata }) => metadata.name);
}
