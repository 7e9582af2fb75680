import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

interface Pair {
  readonly leader: RunningOperator;
  readonly standby: RunningOperator;
  readonly leaseName: string;
}

let world: MeshCluster;
let mesh: TestMesh;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
  mesh = await world.createMesh();
  await mesh.until('Ready');
  await world.endOperators();
});

afterEach(() => world.endOperators());

afterAll(() => world?.close());

test('a standby writes nothing', async () => {
  const { standby } = await startPair();
  const other = await world.createMesh();

  await other.until('Ready');

  expect(standby.logged('Applied object')).toEqual([]);
  expect(standby.logged('Reconciled')).toEqual([]);
});

test('a leader that gets SIGTERM hands over at once: the standby works before the lease could expire', async () => {
  const { leader, standby, leaseName } = await startPair();
  const before = await leaseOf(leaseName);

  expect(await leader.end('SIGTERM')).toBe(0);
  await standby.untilLeading();
  await deleteOne();
  await standby.untilLogged('Applied object');

  const after = await leaseOf(leaseName);
  expect(after.holderIdentity).toBe('second');
  const expiry = Date.parse(before.renewTime) + before.leaseDurationSeconds * 1000;
  expect(Date.parse(after.acquireTime)).toBeLessThan(expiry);
});

test('a leader that gets SIGTERM in the middle of a pass leaves the rest to the other', async () => {
  const { leader, standby } = await startPair();
  const interrupted = await world.createMesh();
  await leader.untilLogged('Applied object', { key: `${interrupted.key.namespace}/mesh` });

  expect(await leader.end('SIGTERM')).toBe(0);
  await standby.untilLeading();

  await interrupted.until('Ready');
});

test('a leader that is killed is followed when its lease has expired', async () => {
  const { leader, standby, leaseName } = await startPair();
  const before = await leaseOf(leaseName);

  await leader.end('SIGKILL');
  await deleteOne();
  await standby.untilLogged('Applied object');

  const after = await leaseOf(leaseName);
  expect(after.holderIdentity).toBe('second');
  expect(after.leaseTransitions).toBe(before.leaseTransitions + 1);
  await mesh.until('Ready');
});

test('a leader that cannot reach the API server stops to work, and does not come back beside the new one', async () => {
  const { leader, standby, leaseName } = await startPair();

  await world.client.patch(
    leaseId(leaseName),
    { type: 'merge', merge: { spec: { holderIdentity: 'third', leaseDurationSeconds: 1 } } },
    { fieldManager: 'test' },
    never,
  );
  await leader.untilLogged('Lost the lease');
  await waitUntil({ what: 'one of the two leads again' }, async () => {
    const { holderIdentity } = await leaseOf(leaseName);
    return ['first', 'second'].includes(holderIdentity);
  });

  await deleteOne();
  await mesh.until('Ready');
  const { holderIdentity } = await leaseOf(leaseName);
  const [working, waiting] = holderIdentity === 'first' ? [leader, standby] : [standby, leader];
  await working.untilLogged('Applied object');
  expect(waiting.logged('Applied object')).toEqual([]);
});

async function startPair(): Promise<Pair> {
  const leaseName = uniqueName('lease');
  const leader = world.launchOperator(['--lease-name', leaseName, '--identity', 'first']);
  await leader.untilLeading();
  const standby = world.launchOperator(['--lease-name', leaseName, '--identity', 'second']);
  await standby.untilLogged('Listed', { kind: 'MeshOperator' });
  return { leader, standby, leaseName };
}

/** Gives whoever leads something to do. */
async function deleteOne(): Promise<void> {
  const id = (await mesh.inventory()).find(({ kind }) => kind === 'ConfigMap');
  if (id === undefined) throw new Error('the mesh has no ConfigMap');
  await world.client.delete(id, {}, never);
}

interface LeaseSpec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly leaseTransitions: number;
  readonly acquireTime: string;
  readonly renewTime: string;
}

async function leaseOf(name: string): Promise<LeaseSpec> {
  const lease: KubernetesObject = await world.client.get(leaseId(name), never);
  return lease.spec as LeaseSpec;
}

function leaseId(name: string) {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: operatorNamespace, name };
}
