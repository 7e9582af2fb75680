import { afterAll, beforeAll, expect, test } from 'vitest';
import { idOf, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { renderGatewayApiCrds } from '../../../src/render/gateway-api-crds.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never } from '../../support/test-client.ts';

const crds = renderGatewayApiCrds('Standard');
const gateways = crds.find(({ metadata }) => metadata.name.startsWith('gateways.')) as KubernetesObject;

let world: MeshCluster;

beforeAll(async () => {
  world = await MeshCluster.open();
  // Of another tool.
  const { labels: _labels, ...metadata } = gateways.metadata;
  await world.client.create({ ...gateways, metadata }, { fieldManager: 'other' }, never);
  await world.startOperator();
});

afterAll(async () => {
  for (const crd of crds) await world?.client.delete(idOf(crd), {}, never);
  await world?.close();
});

test('missing CRDs of the Gateway API are made, and those of others left as they are', async () => {
  const before = await world.client.get(idOf(gateways), never);
  const mesh = await world.createMesh({ components: { base: { enabled: true, gatewayApi: 'Standard' } } });

  await mesh.until('Ready');

  const found = await Promise.all(crds.map((crd) => world.client.find(idOf(crd), never)));
  expect(found.filter((crd) => crd === undefined)).toEqual([]);
  const after = await world.client.get(idOf(gateways), never);
  expect(after.metadata.managedFields?.map(({ manager }) => manager)).not.toContain('mesh-operator-crds');
  expect(after.spec).toEqual(before.spec);

  await mesh.delete();
  await mesh.untilGone();
  expect(await world.client.find(idOf(crds[0] as KubernetesObject), never)).toBeDefined();
});
