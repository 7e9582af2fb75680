import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { installNetworkAttachmentDefinitions } from '../../support/network-attachment-definition-crd.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';
import { WorkloadHistory } from '../../support/workload-history.ts';

const nodeKind = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

const network = {
  apiVersion: 'k8s.cni.cncf.io/v1',
  kind: 'NetworkAttachmentDefinition',
  namespace: 'default',
  name: 'istio-cni',
};

let world: MeshCluster;
let mesh: TestMesh;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
  mesh = await world.createMesh({ profile: 'ambient', version: '1.30.3' });
  await mesh.until('Ready');
});

afterAll(() => world?.close());

test.each(['istio-cni-node', 'ztunnel'])(
  'an ambient mesh is Ready with its pod on every node: %s',
  async (name) => {
    const { namespace } = mesh.key;
    const daemonSet = await world.client.get(
      { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace, name },
      never,
    );
    const { items: nodes } = await world.client.list(nodeKind, {}, never);

    expect(nodes.length).toBeGreaterThan(0);
    expect(daemonSet.status).toMatchObject({
      desiredNumberScheduled: nodes.length,
      updatedNumberScheduled: nodes.length,
      numberAvailable: nodes.length,
    });
  },
);

test('a second mesh cannot have the agent, of which a cluster has one', async () => {
  const second = await world.createMesh({ profile: 'minimal', components: { cni: {} } });

  await second.untilReason('Ready', 'OwnedByOther');

  expect((await second.condition('Ready'))?.message).toContain(`MeshOperator ${mesh.key.namespace}/mesh`);
  await second.delete();
  await second.untilGone();
});

test('another version gets to istiod, then to the agents, then to the proxies, each when the last is complete', async () => {
  const history = await WorkloadHistory.follow(world.client, mesh.key.namespace);
  const { revision } = await mesh.status();

  await mesh.change({ version: '1.31.1' });
  await mesh.until('Ready');

  const isNew = ({ image }: { image: string }) => /:1\.31\.1(-distroless)?$/.test(image);
  const steps = [];
  for (const name of [`istiod-${revision}`, 'istio-cni-node', 'ztunnel']) {
    steps.push(
      await history.first(name, 'is of the new version', isNew),
      await history.first(name, 'is complete', (version) => isNew(version) && version.isComplete),
    );
  }
  history.stop();
  expect(steps.map(({ at }) => at)).toEqual(steps.map(({ at }) => at).sort((a, b) => a - b));
});

test('a deleted mesh goes backwards and leaves nothing', async () => {
  const history = await WorkloadHistory.follow(world.client, mesh.key.namespace);
  const { revision } = await mesh.status();
  const inventory = await mesh.inventory();

  await mesh.delete();
  await mesh.untilGone();

  const steps = [];
  for (const name of ['ztunnel', 'istio-cni-node', `istiod-${revision}`]) {
    steps.push(await history.first(name, 'is gone', ({ isGone }) => isGone));
  }
  history.stop();
  const left = await Promise.all(inventory.map((id) => world.client.find(id, never)));
  const pods = await world.client.list(kindInfo('v1', 'Pod'), { labelSelector: 'app=ztunnel' }, never);
  expect(steps.map(({ at }) => at)).toEqual(steps.map(({ at }) => at).sort((a, b) => a - b));
  expect(inventory.length).toBeGreaterThan(20);
  expect(left.filter((object) => object !== undefined)).toEqual([]);
  expect(pods.items).toEqual([]);
});

test('a mesh that needs Multus waits for its kind, and has its network once it is there', async () => {
  const multus = await world.createMesh(
    { profile: 'minimal', components: { cni: {} }, values: { cni: { provider: 'multus' } } },
    {},
  );

  await multus.untilReason('Ready', 'KindMissing');
  await installNetworkAttachmentDefinitions(world.client);
  await multus.until('Ready');

  expect(await world.client.find(network, never)).toBeDefined();
  await world.client.delete(network, {}, never);
  await waitUntil({ what: 'the network is back' }, async () => {
    return (await world.client.find(network, never)) !== undefined;
  });
  await multus.delete();
  await multus.untilGone();
  expect(await world.client.find(network, never)).toBeUndefined();
});
