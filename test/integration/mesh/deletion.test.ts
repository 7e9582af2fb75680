import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { listEverything } from '../../support/list-everything.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never } from '../../support/test-client.ts';

/**
 * What stays when the last mesh goes, by name: Istio's CRDs (and their groups) are the cluster's, the Lease is the operator's own, and
 * Events, what a namespace has of itself and addresses of Services that are given back later are Kubernetes'.
 */
const exceptions = [
  / CustomResourceDefinition \S+\.istio\.io$/,
  / APIService \S+\.istio\.io$/,
  / Lease mesh-operator\/lease-/,
  / Event /,
  / IPAddress /,
  / Namespace mesh-/,
  / ServiceAccount mesh-\w+\/default$/,
  / ConfigMap mesh-\w+\/kube-root-ca\.crt$/,
];

let world: MeshCluster;
let before: string[];
let operator: RunningOperator;

beforeAll(async () => {
  world = await MeshCluster.open();
  before = await listEverything(world.cluster);
  operator = await world.startOperator();
});

afterAll(() => world?.close());

test('a deleted mesh leaves nothing', async () => {
  const mesh = await world.createMesh({
    components: {
      pilot: { k8s: { podDisruptionBudget: { minAvailable: 1 } } },
      ingressGateways: [{ name: 'one' }, { name: 'two' }],
    },
  });
  await mesh.until('Ready');

  await mesh.delete();
  await mesh.untilGone();

  await untilNothingIsNew();
});

test('what istiod made at run time goes with it', async () => {
  const mesh = await world.createMesh();
  await mesh.until('Ready');
  const { namespace } = mesh.key;
  const elsewhere = await world.ownNamespace();
  await world.cluster.apply(
    [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'istio-leader', namespace } },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'istio-ca-root-cert', namespace: elsewhere, labels: { 'istio.io/config': 'true' } },
      },
    ]
      .map((object) => JSON.stringify(object))
      .join('\n---\n'),
  );

  await mesh.delete();
  await mesh.untilGone();

  await untilNothingIsNew();
});

test('a mesh that is deleted in the middle of its install leaves nothing', async () => {
  const mesh = await world.createMesh({
    components: { pilot: { k8s: { nodeSelector: { nobody: 'has-this' } } } },
  });
  await mesh.untilStatus('has begun', ({ inventory = [] }) => inventory.length > 0);

  await mesh.delete();
  await mesh.untilGone();

  await untilNothingIsNew();
});

test('a mesh whose whole namespace is deleted leaves nothing and does not hold the namespace', async () => {
  const elsewhere = await world.ownNamespace();
  const mesh = await world.createMesh({
    components: { ingressGateways: [{ name: 'here' }, { name: 'there', namespace: elsewhere }] },
  });
  await mesh.until('Ready');

  await world.cluster.kubectl('delete', 'namespace', mesh.key.namespace, '--timeout=240s');

  const id = { apiVersion: 'v1', kind: 'Namespace', name: mesh.key.namespace };
  expect(await world.client.find(id, never)).toBeUndefined();
  await untilNothingIsNew();
});

test('a mesh that is deleted while no operator runs goes when one comes back', async () => {
  const mesh = await world.createMesh();
  await mesh.until('Ready');
  await operator.end('SIGKILL');

  await mesh.delete();
  const { items } = await world.client.list(kindInfo('apps/v1', 'Deployment'), mesh.key, never);
  expect(items.length).toBeGreaterThan(0);
  operator = await world.startOperator();
  await mesh.untilGone();

  await untilNothingIsNew();
});

test('somebody else’s finalizer on one object holds the mesh, and its message says which', async () => {
  const mesh = await world.createMesh();
  await mesh.until('Ready');
  const { revision } = await mesh.status();
  const id = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: mesh.key.namespace,
    name: `istio-${revision}`,
  };
  const finalizers = (names: string[]) =>
    ({ type: 'merge', merge: { metadata: { finalizers: names } } }) as const;
  await world.client.patch(id, finalizers(['example.com/hold']), { fieldManager: 'test' }, never);

  await mesh.delete();
  await mesh.untilStatus('names what it waits for', ({ conditions = [] }) =>
    conditions.some(
      ({ type, message }) => type === 'Ready' && message.includes(`ConfigMap ${mesh.key.namespace}/`),
    ),
  );
  await world.client.patch(id, finalizers([]), { fieldManager: 'test' }, never);
  await mesh.untilGone();

  await untilNothingIsNew();
});

/** The authority of a mesh stays for as long as its namespace. */
function isAuthorityOf(everything: readonly string[], line: string): boolean {
  const namespace = / Secret mesh-operator\/(\S+)\.ca$/.exec(line)?.[1];
  return namespace !== undefined && everything.includes(`v1 Namespace ${namespace}`);
}

/** What has owners goes later: the garbage collector first gets to know the kinds that the first mesh has brought. */
async function untilNothingIsNew(): Promise<void> {
  let added: string[] = [];
  const explain = async () => added.join('\n');
  await waitUntil({ what: 'nothing is left', explain }, async () => {
    const now = await listEverything(world.cluster);
    const isExpected = (line: string) =>
      exceptions.some((exception) => exception.test(line)) || isAuthorityOf(now, line);
    added = now.filter((line) => !before.includes(line) && !isExpected(line));
    return added.length === 0;
  });
}
