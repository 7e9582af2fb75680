import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyText, type ObjectId } from '../../../src/api/kubernetes-object.ts';
import { type AuditedRequest, isWrite, requestText } from '../../support/audit-log.ts';
import { expectedReads } from '../../support/expected-reads.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;
let meshes: TestMesh[];
let operator: RunningOperator;

beforeAll(async () => {
  world = await MeshCluster.open();
  operator = await world.startOperator();
  meshes = await Promise.all([world.createMesh(), world.createMesh(), world.createMesh()]);
  for (const mesh of meshes) await mesh.until('Ready');
  await operator.end();
});

afterAll(() => world?.close());

test('a restarted operator lists each kind once and writes nothing', async () => {
  await world.audit.restart();

  operator = await world.startOperator();
  for (const { key } of meshes) await operator.untilLogged('Reconciled', { key: keyText(key) });

  const requests = (await world.audit.requestsOf(world.access.user)).filter(isOfTheMeshes);
  expect(requests.filter(isWrite).map(requestText)).toEqual([]);
  expect(
    requests
      .filter(({ verb }) => verb !== 'watch')
      .map(requestText)
      .sort(),
  ).toEqual(expectedReads);
});

test('pods that come and go cost no request', async () => {
  const namespace = await world.ownNamespace('app');
  await world.audit.restart();

  await world.cluster.kubectl('create', 'deployment', 'app', '--image=app', '--replicas=5', '-n', namespace);
  await world.cluster.kubectl('rollout', 'status', 'deployment/app', '-n', namespace, '--timeout=240s');
  await world.cluster.kubectl('delete', 'pods', '--all', '-n', namespace);
  await world.cluster.kubectl('rollout', 'status', 'deployment/app', '-n', namespace, '--timeout=240s');

  expect((await world.audit.requestsOf(world.access.user)).filter(isOfTheMeshes)).toEqual([]);
});

test('an istiod pod that dies costs no request but for the status', async () => {
  const [mesh] = meshes as [TestMesh];
  const { namespace } = mesh.key;
  const { revision } = await mesh.status();
  await world.audit.restart();

  await world.cluster.kubectl('delete', 'pods', '-n', namespace, '-l', 'istio=pilot');
  await world.cluster.kubectl('rollout', 'status', `deployment/istiod-${revision}`, '-n', namespace);
  await mesh.until('Ready');

  const requests = (await world.audit.requestsOf(world.access.user)).filter(isOfTheMeshes);
  const others = requests.filter(({ resource }) => !['meshoperators/status', 'events'].includes(resource));
  expect(others).toEqual([]);
});

test('labels and annotations that others add stay, and cost no request', async () => {
  const [mesh] = meshes as [TestMesh];
  const key = keyText(mesh.key);
  const ids = await mesh.inventory();
  await world.audit.restart();
  const passes = operator.logged('Reconciled', { key }).length;

  for (const id of ids) {
    await world.client.patch(id, { type: 'merge', merge: foreign(id) }, { fieldManager: 'kubectl' }, never);
  }
  await operator.untilLogged('Reconciled', { key }, { times: passes + 1 });
  await operator.end();
  operator = await world.startOperator();
  await operator.untilLogged('Reconciled', { key });

  const requests = (await world.audit.requestsOf(world.access.user)).filter(isOfTheMeshes);
  expect(requests.filter(isWrite)).toEqual([]);
  const objects = await mesh.objects();
  for (const [index, id] of ids.entries()) expect(objects[index]).toMatchObject(foreign(id));
});

/** An annotation of a Deployment counts as a new generation, which its controller has to see. */
function foreign({ kind }: ObjectId) {
  const labels = { 'team.example.com/owner': 'a' };
  return { metadata: kind === 'Deployment' ? { labels } : { labels, annotations: { note: 'mine' } } };
}

function isOfTheMeshes({ resource }: AuditedRequest): boolean {
  return resource !== 'leases';
}
