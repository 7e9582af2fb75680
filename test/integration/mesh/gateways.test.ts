import { afterAll, beforeAll, expect, test } from 'vitest';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never } from '../../support/test-client.ts';

let world: MeshCluster;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
});

afterAll(() => world?.close());

test('gateways of every kind become ready, and the status says where each is reached', async () => {
  const mesh = await world.createMesh({
    components: {
      ingressGateways: [{ name: 'in' }],
      egressGateways: [{ name: 'out' }, { name: 'out-fixed', k8s: { replicaCount: 2 } }],
      eastWestGateways: [{ name: 'east-west', network: 'west', k8s: { service: { type: 'NodePort' } } }],
    },
  });

  await mesh.until('Ready');

  const { gateways = [] } = await mesh.status();
  expect(gateways.map(({ name }) => name)).toEqual(['in', 'out', 'out-fixed', 'east-west']);
  for (const { name, namespace, addresses } of gateways) {
    const service = await world.client.get({ apiVersion: 'v1', kind: 'Service', namespace, name }, never);
    const { clusterIPs } = service.spec as { clusterIPs: string[] };
    const { loadBalancer } = service.status as { loadBalancer: { ingress?: { ip: string }[] } };
    expect(addresses, name).toEqual(name === 'in' ? loadBalancer.ingress?.map(({ ip }) => ip) : clusterIPs);
    expect(addresses.length, name).toBeGreaterThan(0);
  }
  const disruption = (await mesh.inventory()).filter(({ kind }) => kind === 'PodDisruptionBudget');
  expect(disruption.map(({ name }) => name)).toContain('out-fixed');
});
