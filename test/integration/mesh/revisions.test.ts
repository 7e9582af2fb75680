import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

/** Meshes whose upgrades are `RevisionBased`, on simulated nodes: their control planes run there, injectors do not. */
let world: MeshCluster;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
});

afterAll(() => world?.close());

describe('a mesh with a control plane for each version', () => {
  test('has a MeshOperator for its version, which is Ready with it', async () => {
    const { mesh, revision } = await aMesh();

    const [control] = await controlPlanesOf(mesh);

    expect((await controlPlanesOf(mesh)).map(nameOf)).toEqual(['mesh-1-30-3']);
    expect(control?.spec).toMatchObject({ version: '1.30.3', revision: `${revision}-1-30-3` });
    expect(control?.metadata.ownerReferences).toMatchObject([{ kind: 'MeshOperator', name: 'mesh' }]);
    expect(await mesh.condition('UpgradeComplete')).toMatchObject({ status: 'True', reason: 'Complete' });
    expect((await mesh.status()).revisions).toEqual([{ name: `${revision}-1-30-3`, version: '1.30.3' }]);
    expect(await gatewayRevisions(mesh)).toEqual([`${revision}-1-30-3`]);
  });

  test('gets another beside it for another version, moves gateways to it, and lets the old one go', async () => {
    const { mesh, revision } = await aMesh();

    await mesh.change({ version: '1.31.1' });
    await mesh.until('Ready');

    expect(await mesh.condition('UpgradeComplete')).toMatchObject({
      status: 'True',
      reason: 'Complete',
      message: expect.stringContaining(`Revision ${revision}-1-31-1 serves the whole mesh`),
    });
    expect(await gatewayRevisions(mesh)).toEqual([`${revision}-1-31-1`]);
    for (const step of ['Installing', 'Moving', 'MovingGateways', 'Finishing', 'Complete']) {
      await mesh.untilEvent(`Upgrade${step}`);
    }
    await waitUntil({ what: 'the old control plane is gone' }, async () => {
      const left = (await controlPlanesOf(mesh)).map(nameOf);
      return left.length === 1 && left[0] === 'mesh-1-31-1';
    });
  });

  test('goes back when the control plane of the other version is not Ready in time', async () => {
    const { mesh, revision } = await aMesh({ upgrade: { ...fast, waveTimeout: '10s' } });

    // No node has this label, so that the new istiod waits for ever.
    const k8s = { nodeSelector: { 'example.com/none': 'such' } };
    await mesh.change({ version: '1.31.1', components: { pilot: { k8s } } });
    await mesh.until('Stalled');

    expect(await mesh.condition('Stalled')).toMatchObject({ reason: 'UpgradeRolledBack' });
    expect(await mesh.condition('UpgradeComplete')).toMatchObject({
      status: 'False',
      reason: 'RolledBack',
      message: expect.stringContaining('is not Ready'),
    });
    expect(await gatewayRevisions(mesh)).toEqual([`${revision}-1-30-3`]);

    await mesh.change({ components: { pilot: { k8s: null } } });
    await mesh.until('Ready');
    expect(await gatewayRevisions(mesh)).toEqual([`${revision}-1-31-1`]);
  });

  test('is paused with its control planes, and deleted with them', async () => {
    const { mesh } = await aMesh();

    await mesh.change({ paused: { reason: 'a freeze' } });
    await waitUntil({ what: 'its control plane is paused' }, async () =>
      (await controlPlanesOf(mesh)).every(({ spec }) => (spec as MeshOperatorSpec).paused !== undefined),
    );
    await mesh.change({ paused: null });
    await mesh.until('Ready');
    const inventory = await mesh.inventory();
    await mesh.delete();
    await mesh.untilGone();

    const left = await Promise.all(inventory.map((id) => world.client.find(id, never)));
    expect(left.filter((object) => object !== undefined)).toEqual([]);
  });

  test('keeps its strategy', async () => {
    const { mesh } = await aMesh();

    await expect(mesh.change({ upgrade: { strategy: 'InPlace' } })).rejects.toThrow('spec cannot be changed');
  });
});

const fast = { strategy: 'RevisionBased', gracePeriod: '1s' } as const;

async function aMesh(spec: MeshOperatorSpec = {}): Promise<{ mesh: TestMesh; revision: string }> {
  const revision = uniqueName('r');
  const mesh = await world.createMesh(
    {
      ...{ version: '1.30.3', revision, upgrade: fast },
      components: { ingressGateways: [{ name: 'public', k8s: { service: { type: 'ClusterIP' } } }] },
      ...spec,
    },
    {},
  );
  await mesh.until('Ready');
  return { mesh, revision };
}

async function controlPlanesOf({ key }: TestMesh): Promise<KubernetesObject[]> {
  const meshes = await world.meshes();
  return meshes.filter(
    ({ metadata: { namespace, labels } }) =>
      namespace === key.namespace && labels?.['meshoperator.dev/mesh'] === key.name,
  );
}

function nameOf({ metadata }: KubernetesObject): string {
  return metadata.name;
}

async function gatewayRevisions({ key: { namespace } }: TestMesh): Promise<(string | undefined)[]> {
  const id = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'public' };
  const { metadata } = await world.client.get(id, never);
  return [metadata.labels?.['istio.io/rev']];
}
