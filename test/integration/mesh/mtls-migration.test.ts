import { dump } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubernetesObject, ObjectId } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { diff } from '../../../src/cli/diff.ts';
import type { MeshDiff } from '../../../src/cli/diff-mesh.ts';
import { findFreePorts } from '../../cluster/free-ports.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { ObjectHistory } from '../../support/object-history.ts';
import { runCli } from '../../support/run-cli.ts';
import { type CountedRequests, RunningPrometheus } from '../../support/running-prometheus.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

/** The shortest that a spec may ask for, so that a caller who has gone is soon forgotten. */
const window = '10s';

let world: MeshCluster;
let prometheus: RunningPrometheus;
let mesh: TestMesh;
let shop: string;

beforeAll(async () => {
  world = await MeshCluster.open();
  prometheus = await RunningPrometheus.start();
  shop = await world.ownNamespace('shop');
  await world.startOperator();
});

afterAll(async () => {
  await world?.close();
  await prometheus?.stop();
});

test('waits while somebody calls in plaintext, names the caller, and is in force when nobody does', async () => {
  prometheus.setTraffic([calls('web', 'mutual_tls'), calls('web', 'none', 'report')]);
  await untilCounted();
  mesh = await world.createMesh(strict());
  await mesh.until('Ready');
  await mesh.untilReason('MutualTlsInForce', 'PlaintextCallers');

  expect(await modeOf(meshPolicy())).toBe('PERMISSIVE');
  const { state, mtls } = await mesh.status();
  expect({ state, mtls }).toMatchObject({
    ...{ state: 'Ready', mtls: { inForce: [], waiting: ['*'] } },
  });
  expect(mtls?.callers).toEqual([{ from: `${shop}/report`, to: `${shop}/web`, count: expect.any(Number) }]);
  await mesh.untilEvent('PlaintextCallers', `${shop}/report calls ${shop}/web`);

  prometheus.setTraffic([calls('web', 'mutual_tls')]);
  await mesh.untilReason('MutualTlsInForce', 'InForce');
  expect(await modeOf(meshPolicy())).toBe('STRICT');
  expect((await mesh.status()).mtls).toEqual({ inForce: ['*'] });
  // What came into force was no repair.
  expect((await mesh.status()).drift).toBeUndefined();
});

test('a policy that is in force and that somebody deletes is back at once, whoever calls by now', async () => {
  prometheus.setTraffic([calls('web', 'mutual_tls'), calls('web', 'none', 'report')]);
  await untilCounted();
  const policies = await ObjectHistory.follow(world.client, meshPolicy());
  await world.client.delete(meshPolicy(), {}, never);

  await waitUntil({ what: 'the policy is back' }, async () => (await modeOf(meshPolicy())) === 'STRICT');
  const versions = await policies.upToDate();
  await policies.stop();
  expect(versions.length).toBeGreaterThan(1);
  expect(versions.filter((policy) => modeIn(policy) !== 'STRICT')).toEqual([]);
  expect(await mesh.condition('MutualTlsInForce')).toMatchObject({ status: 'True' });
});

test('an exception that goes waits as well, as diff says before, also for an operator that comes after a crash', async () => {
  await mesh.change({ security: { mtls: { namespaces: [{ namespace: shop, mode: 'PERMISSIVE' }] } } });
  await waitUntil({ what: 'the exception is there' }, async () => {
    return (await modeOf(policyOf(shop))) === 'PERMISSIVE';
  });
  await mesh.until('Ready');
  const { notes, changes } = await diffWithoutException();
  expect(notes).toEqual([expect.stringContaining(`STRICT would wait at ${shop} until nobody calls`)]);
  expect(changes.map(({ object }) => object)).toEqual([`MeshOperator ${mesh.key.namespace}/mesh`]);

  await mesh.change({ security: { mtls: { namespaces: null } } });
  await mesh.untilReason('MutualTlsInForce', 'PlaintextCallers');
  expect((await mesh.status()).mtls).toMatchObject({ inForce: ['*'], waiting: [shop] });

  await world.endOperators();
  await world.startOperator();
  await mesh.change({ security: { mtls: { migration: { window: '11s' } } } });
  await mesh.untilReason('MutualTlsInForce', 'PlaintextCallers');
  expect(await modeOf(policyOf(shop))).toBe('PERMISSIVE');
  expect(await modeOf(meshPolicy())).toBe('STRICT');
});

test('is in force at once where callers are to be ignored', async () => {
  await mesh.change({ security: { mtls: { migration: { onPlaintext: 'Ignore' } } } });
  await mesh.untilReason('MutualTlsInForce', 'InForce');

  expect((await mesh.status()).mtls).toEqual({ inForce: ['*'] });
  await waitUntil({ what: 'the exception is gone' }, async () => {
    return (await modeOf(policyOf(shop))) === undefined;
  });
});

test('a Prometheus that is not there tells nothing, and nothing is cut off', async () => {
  const address = `http://127.0.0.1:${(await findFreePorts('127.0.0.1')).apiServer}`;
  const other = await world.createMesh(strict({ prometheus: address }));
  await other.until('Ready');
  await other.untilReason('MutualTlsInForce', 'CallersUnknown');

  const condition = await other.condition('MutualTlsInForce');
  expect(condition?.message).toContain(`${address} cannot be asked: ECONNREFUSED`);
  expect(await modeOf(policyOf(other.key.namespace))).toBe('PERMISSIVE');
  await other.delete();
  await other.untilGone();
});

/** What would come of the mesh if it had no exception. */
async function diffWithoutException(): Promise<MeshDiff> {
  const spec = (await mesh.read()).spec as MeshOperatorSpec;
  const { namespaces: _exception, ...mtls } = spec.security?.mtls ?? {};
  const wanted = aMeshOperator({ ...spec, security: { mtls } }, mesh.key);
  const options = { filename: '-', kubeconfig: world.cluster.kubeconfigPath, output: 'json' } as const;
  const { stdout } = await runCli((terminal) => diff(options, terminal), dump(wanted));
  const [found] = JSON.parse(stdout) as MeshDiff[];
  if (found === undefined) throw new Error('no mesh in the answer');
  return found;
}

function strict(migration: object = {}): MeshOperatorSpec {
  return {
    profile: 'minimal',
    security: {
      mtls: { mode: 'STRICT', migration: { prometheus: prometheus.address, window, ...migration } },
    },
  };
}

function meshPolicy(): ObjectId {
  return policyOf(mesh.key.namespace);
}

function policyOf(namespace: string): ObjectId {
  return { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', namespace, name: 'default' };
}

async function modeOf(id: ObjectId): Promise<string | undefined> {
  return modeIn(await world.client.find(id, never));
}

function modeIn(policy: KubernetesObject | undefined): string | undefined {
  return (policy?.spec as { mtls?: { mode?: string } } | undefined)?.mtls?.mode;
}

function calls(to: string, security: string, from = 'unknown'): CountedRequests {
  return {
    labels: {
      ...{ reporter: 'destination', connection_security_policy: security },
      ...{ source_workload: from, source_workload_namespace: from === 'unknown' ? from : shop },
      ...{ destination_workload: to, destination_workload_namespace: shop },
    },
    count: 5,
  };
}

async function untilCounted(): Promise<void> {
  const query = encodeURIComponent('istio_requests_total{connection_security_policy="none"} > 0');
  await waitUntil({ what: 'calls are counted' }, async () => {
    const answer = await fetch(`${prometheus.address}/api/v1/query?query=${query}`);
    const { data } = (await answer.json()) as { data: { result: unknown[] } };
    return data.result.length > 0;
  });
}
