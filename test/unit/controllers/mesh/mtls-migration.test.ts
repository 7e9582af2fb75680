import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import type { Mtls } from '../../../../src/api/spec/security.ts';
import { MtlsMigration, type MtlsStep } from '../../../../src/controllers/mesh/mtls-migration.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

const signal = new AbortController().signal;

let server: Server;
let queries: string[];
/** What is answered to every query. */
let samples: readonly Readonly<Record<string, string>>[];
let clock: FakeClock;
let migration: MtlsMigration;

/** Answers as a Prometheus does, and counts. */
beforeEach(async () => {
  clock = new FakeClock();
  queries = [];
  samples = [];
  migration = new MtlsMigration({ clock, podsIn: (namespace) => (namespace === 'shop' ? [aPod()] : []) });
  server = createServer(async (request, response) => {
    queries.push(new URLSearchParams(await text(request)).get('query') ?? '');
    const result = samples.map((metric) => ({ metric, value: [0, '1'] }));
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function step(mtls: Omit<Mtls, 'migration'>, mesh = migration): Promise<MtlsStep | undefined> {
  const prometheus = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const object = aMeshOperator({
    security: { mtls: { ...mtls, migration: { prometheus, window: '100s' } } },
  });
  const observed = { owned: [], members: [] };
  return mesh.step(object as unknown as KubernetesObject, resolveMesh(object), observed, signal);
}

/** Of Deployment `postgres`. */
function aPod(): KubernetesObject {
  const [controller, hash] = ['postgres-abc12', 'abc12'];
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ name: `${controller}-x`, generateName: `${controller}-`, namespace: 'shop' },
      labels: { app: 'db', 'pod-template-hash': hash },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: controller, uid: 'u', controller: true },
      ],
    },
  };
}

test('a Prometheus is asked again after a tenth of the window, whatever wakes passes in between', async () => {
  const first = await step({ mode: 'STRICT' });
  expect(first).toMatchObject({ againInMs: 10_000, isMoving: true });
  expect(queries).toHaveLength(1);

  await clock.advance(9_999);
  expect(await step({ mode: 'STRICT' })).toMatchObject({ againInMs: 1 });
  expect(queries).toHaveLength(1);

  await clock.advance(1);
  expect(await step({ mode: 'STRICT' })).toMatchObject({ againInMs: 10_000 });
  expect(queries).toHaveLength(2);
});

test('it is asked at once about more that waits, and by an operator that comes after a crash', async () => {
  await step({ mode: 'STRICT' });
  await step({ mode: 'STRICT', namespaces: [{ namespace: 'shop', mode: 'STRICT' }] });
  expect(queries).toHaveLength(2);

  await step({ mode: 'STRICT' }, new MtlsMigration({ clock, podsIn: () => [] }));
  expect(queries).toHaveLength(3);
});

test('nobody is asked where nothing gets stricter', async () => {
  expect(await step({ mode: 'PERMISSIVE' })).toMatchObject({ againInMs: undefined });
  expect(queries).toEqual([]);
});

test('a Prometheus that knows of no call at all does not count', async () => {
  const { decision } = (await step({ mode: 'STRICT' })) ?? {};

  expect(decision?.condition).toMatchObject({ reason: 'CallersUnknown' });
  expect(decision?.condition.message).toMatch(/knows of no call to any proxy: see that it scrapes them$/);
});

test('a called workload is known by its pods, as the name that its proxy counts by', async () => {
  const called = { destination_workload_namespace: 'shop', destination_workload: 'postgres' };
  samples = [{ answer: 'any' }, { answer: 'istio_requests_total', ...called }];
  const shop = { namespace: 'shop', mode: 'STRICT' } as const;
  const db = { name: 'db', namespace: 'shop', labels: { app: 'db' }, mode: 'STRICT' } as const;

  const { decision } = (await step({ namespaces: [shop], workloads: [db] })) ?? {};

  expect(decision?.status).toMatchObject({ inForce: ['shop'], waiting: ['shop app=db'] });
});
