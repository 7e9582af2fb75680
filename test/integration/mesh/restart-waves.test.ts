import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubernetesObject, ObjectId } from '../../../src/api/kubernetes-object.ts';
import { restartAnnotation } from '../../../src/api/labels.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type CountedRequests, RunningPrometheus } from '../../support/running-prometheus.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

/**
 * Simulated nodes run no injector: the pods of a workload have the sidecar that their template says, and the test puts the
 * new one there, as an injector would once they are restarted.
 */
let world: MeshCluster;
let mesh: TestMesh;
let revision: string;
let canary: string;
let shop: string;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
  revision = uniqueName('r');
  canary = await world.ownNamespace('canary');
  shop = await world.ownNamespace('shop');
  await label(canary, { 'istio.io/rev': revision, stage: 'canary' });
  await label(shop, { 'istio.io/rev': revision });
  for (const id of [deployment(canary), deployment(shop), statefulSet(shop), replicaSet(shop)]) {
    await world.cluster.apply(JSON.stringify(workload(id)));
  }
  for (const id of [deployment(canary), deployment(shop)]) await untilAvailable(id);
});

afterAll(() => world?.close());

test('workloads with older sidecars are restarted wave by wave, and the next wave waits for the last', async () => {
  const [firstPod] = await podsOf(shop, 'set');
  mesh = await world.createMesh(
    {
      revision,
      upgrade: {
        restart: 'Waves',
        waves: [{ namespaceSelector: { matchLabels: { stage: 'canary' } }, soak: '1s' }],
      },
    },
    {},
  );
  await mesh.untilStatus('moves its first wave', ({ upgrade }) => upgrade?.phase === 'Moving');

  await untilRestarted(deployment(canary));
  expect((await mesh.status()).upgrade).toMatchObject({
    ...{ wave: 1, waves: 2 },
    waitingFor: [`Deployment ${canary}/app has 1 of 1 pods still to be replaced`],
  });
  expect(await restartOf(deployment(shop))).toBeUndefined();

  await putProxy(deployment(canary), '1.31.1');
  await mesh.untilStatus('moves its second wave', ({ upgrade }) => upgrade?.wave === 2);
  await untilRestarted(deployment(shop));
  await untilRestarted(statefulSet(shop));
  // Nothing rolls the pods of a ReplicaSet out: they are evicted.
  await waitUntil({ what: 'the pod of the ReplicaSet is another one' }, async () => {
    const [pod] = await podsOf(shop, 'set');
    return pod !== undefined && pod.metadata.uid !== firstPod?.metadata.uid;
  });

  for (const id of [deployment(shop), statefulSet(shop)]) await putProxy(id, '1.31.1');
  await world.cluster.kubectl('delete', 'replicaset', 'set', '-n', shop, '--cascade=foreground');
  await mesh.untilReason('UpgradeComplete', 'Complete');
  for (const step of ['Wave 1 of 2', 'Wave 2 of 2']) await mesh.untilEvent('UpgradeMoving', step);
});

test('a wave whose requests fail is held, and goes on when they fail no more', async () => {
  const prometheus = await RunningPrometheus.start();
  try {
    // An older sidecar again, so that there is something to restart.
    for (const namespace of [canary, shop]) await putProxy(deployment(namespace), '1.31.0');
    await world.cluster.kubectl('delete', 'statefulset', 'state', '-n', shop);
    await mesh.untilStatus('moves its first wave', ({ upgrade }) => upgrade?.phase === 'Moving');
    prometheus.setTraffic([requests(canary, '200', 8), requests(canary, '503', 2)]);

    await mesh.change({
      upgrade: { errorRate: { prometheus: prometheus.address, limit: '1%', window: '10s' } },
    });
    await putProxy(deployment(canary), '1.31.1');

    await mesh.untilReason('UpgradeComplete', 'Paused');
    const { upgrade } = await mesh.status();
    expect(upgrade).toMatchObject({ phase: 'Paused', wave: 1 });
    expect(upgrade?.failure).toMatch(
      new RegExp(`^Moving: [0-9.]+% of the requests to ${canary} fail, and 1% may$`),
    );

    prometheus.setTraffic([requests(canary, '200', 8), requests(shop, '200', 8)]);
    await mesh.change({ upgrade: { waveTimeout: '10m' } });

    await mesh.untilStatus('moves its second wave', ({ upgrade: now }) => now?.wave === 2);
    await putProxy(deployment(shop), '1.31.1');
    await mesh.untilReason('UpgradeComplete', 'Complete');
  } finally {
    await prometheus.stop();
  }
});

function requests(namespace: string, code: string, count: number): CountedRequests {
  const labels = {
    reporter: 'destination',
    destination_service_namespace: namespace,
    response_code: code,
  };
  return { labels, count };
}

const deployment = (namespace: string): ObjectId => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'app' },
});
const statefulSet = (namespace: string): ObjectId => ({
  ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', namespace, name: 'state' },
});
const replicaSet = (namespace: string): ObjectId => ({
  ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace, name: 'set' },
});

function workload({ apiVersion, kind, namespace = '', name }: ObjectId): KubernetesObject {
  const labels = { app: name };
  return {
    ...{ apiVersion, kind, metadata: { namespace, name } },
    spec: {
      replicas: 1,
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: { 'sidecar.istio.io/status': JSON.stringify({ revision }) } },
        spec: {
          containers: [
            { name: 'app', image: 'app' },
            { name: 'istio-proxy', image: 'registry.example.com/proxyv2:1.31.0' },
          ],
        },
      },
    },
  };
}

async function putProxy(id: ObjectId, version: string): Promise<void> {
  const path = '/spec/template/spec/containers/1/image';
  const operations = [{ op: 'replace', path, value: `registry.example.com/proxyv2:${version}` }] as const;
  await world.client.patch(
    id,
    { type: 'json', operations: [...operations] },
    { fieldManager: 'test' },
    never,
  );
}

async function restartOf(id: ObjectId): Promise<string | undefined> {
  const { spec } = (await world.client.get(id, never)) as unknown as {
    spec: { template: { metadata: { annotations?: Record<string, string> } } };
  };
  return spec.template.metadata.annotations?.[restartAnnotation];
}

async function untilRestarted(id: ObjectId): Promise<void> {
  const what = `${id.kind} ${id.namespace}/${id.name} is restarted`;
  await waitUntil({ what }, async () => (await restartOf(id)) !== undefined);
}

async function untilAvailable({ kind, namespace = '', name }: ObjectId): Promise<void> {
  const target = `${kind.toLowerCase()}/${name}`;
  await world.cluster.kubectl('rollout', 'status', target, '-n', namespace, '--timeout=240s');
}

async function podsOf(namespace: string, app: string): Promise<readonly KubernetesObject[]> {
  const text = await world.cluster.kubectl('get', 'pods', '-n', namespace, '-l', `app=${app}`, '-o', 'json');
  return (JSON.parse(text) as { items: readonly KubernetesObject[] }).items;
}

async function label(name: string, labels: Record<string, string>): Promise<void> {
  const id = { apiVersion: 'v1', kind: 'Namespace', name };
  await world.client.patch(
    id,
    { type: 'merge', merge: { metadata: { labels } } },
    { fieldManager: 'test' },
    never,
  );
}
