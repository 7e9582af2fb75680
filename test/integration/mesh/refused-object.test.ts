import { afterAll, beforeAll, expect, test } from 'vitest';
import { idText, type ObjectId } from '../../../src/api/kubernetes-object.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;
let mesh: TestMesh;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
  mesh = await world.createMesh({ values: { experimental: { stableValidationPolicy: true } } });
  await mesh.until('Ready');
});

afterAll(() => world?.close());

test('an object that the API server refuses keeps no other one from being repaired', async () => {
  const binding = await idOfKind('ValidatingAdmissionPolicyBinding');
  const service = await idOfKind('Service', 'istio-ingressgateway');
  // Merged with ours this is a list that no API server takes.
  await world.client.patch(
    binding,
    { type: 'merge', merge: { spec: { validationActions: ['Warn'] } } },
    { fieldManager: 'other' },
    never,
  );
  await mesh.untilStatus('says so', ({ conditions = [] }) =>
    conditions.some(({ type, message }) => type === 'Stalled' && message.includes(binding.name)),
  );

  await world.client.delete(service, {}, never);

  await waitUntil(
    { what: `${idText(service)} is back` },
    async () => (await world.client.find(service, never)) !== undefined,
  );

  await world.client.delete(binding, {}, never);
  await mesh.until('Ready');
  expect(await world.client.get(binding, never)).toMatchObject({ spec: { validationActions: ['Deny'] } });
});

async function idOfKind(kind: string, name?: string): Promise<ObjectId> {
  const found = (await mesh.inventory()).find((id) => id.kind === kind && (name ?? id.name) === id.name);
  if (found === undefined) throw new Error(`the mesh has no ${kind}`);
  return found;
}
