import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { wholeSeconds } from '../../../src/api/conditions.ts';
import { kindInfo } from '../../../src/api/kinds.ts';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { createDataPlaneController } from '../../../src/controllers/data-plane/data-plane-controller.ts';
import { createNamespaceInformer } from '../../../src/controllers/data-plane/observed-pods.ts';
import { EventRecorder } from '../../../src/kube/event-recorder.ts';
import { Metrics } from '../../../src/observability/metrics.ts';
import { Informer } from '../../../src/runtime/informer.ts';
import { Manager } from '../../../src/runtime/manager.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

/**
 * The controller alone, in this process, on a real API server with simulated nodes: there no injector can be reached, so
 * no operator runs, and the test says in its place whether the injector is (`InjectorReady`). Since there are no
 * webhooks either, all pods start without a sidecar.
 */
let world: MeshCluster;
let mesh: TestMesh;
let namespace: string;
let revision: string;
let metrics: Metrics;
const stop = new AbortController();
let ended: Promise<void>;

beforeAll(async () => {
  world = await MeshCluster.open();
  metrics = new Metrics();
  ended = runController();
});

afterAll(async () => {
  stop.abort();
  await ended;
  // Nobody has given them a finalizer, and no operator may meet them: it would deploy their injectors.
  for (const { apiVersion, kind, metadata } of await world.meshes()) {
    const id = { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name };
    await world.client.delete(id, {}, never);
  }
  await world.close();
});

beforeEach(async () => {
  revision = uniqueName('r');
  namespace = await world.ownNamespace('app');
});

describe('pods without the sidecar that they should have', () => {
  test('are in status, metric and Events, until they are nobody’s any more', async () => {
    await createMesh();
    await label({ 'istio.io/rev': revision });
    await createDeployment(2);

    await mesh.untilStatus('names both', ({ dataPlane }) => dataPlane?.barePods === 2);
    const { dataPlane } = await mesh.status();
    expect(dataPlane?.examples?.every((name) => name.startsWith(`${namespace}/app-`))).toBe(true);
    expect(await mesh.condition('ProxiesUpToDate')).toMatchObject({
      ...{ status: 'False', reason: 'BarePods', message: expect.stringContaining('2 pods') },
    });
    expect(await metrics.text()).toContain(
      `mesh_operator_pods{namespace="${mesh.key.namespace}",mesh="mesh",state="bare"} 2`,
    );
    for (const pod of await pods()) await untilPodEvent(pod, 'MissingSidecar');
    await mesh.untilEvent('BarePods', '2 pods');

    await label({ 'istio.io/rev': null });

    await mesh.untilStatus('names none', ({ dataPlane: now }) => now?.barePods === 0);
    expect(await mesh.condition('ProxiesUpToDate')).toMatchObject({ status: 'True', reason: 'UpToDate' });
    await mesh.untilEvent('NoBarePods');
  });

  test('are found in namespaces that ask for a tag, and by labels of their own', async () => {
    await createMesh({ revisionTags: [`${revision}-tag`] });
    await label({ 'istio.io/rev': `${revision}-tag` });
    const other = await world.ownNamespace('other');
    await createDeployment(1);
    await createDeployment(1, { 'istio.io/rev': revision }, other);

    await mesh.untilStatus('names both', ({ dataPlane }) => dataPlane?.barePods === 2);
  });

  test('are not evicted unless the spec says so, nor while the injector is not reached', async () => {
    await createMesh({ sidecarInjector: { barePods: 'Evict' } }, 'False');
    await label({ 'istio.io/rev': revision });
    await createDeployment(1);
    await mesh.untilStatus('names it', ({ dataPlane }) => dataPlane?.barePods === 1);
    const [before] = await pods();

    await setInjectorReady('True');

    await waitUntil({ what: 'the pod is another one' }, async () => {
      const [now] = await pods();
      return now !== undefined && now.metadata.uid !== before?.metadata.uid;
    });
  });

  test('are evicted once, and left alone when they come back bare', async () => {
    await createMesh({ sidecarInjector: { barePods: 'Evict' } });
    await label({ 'istio.io/rev': revision });
    await createDeployment(1);

    await waitUntil({ what: 'the controller gives up' }, async () => {
      const events = await mesh.events();
      return events.some(({ reason }) => reason === 'ComesBackBare');
    });
    const [after] = await pods();
    const evictions = `mesh_operator_bare_pod_evictions_total{namespace="${mesh.key.namespace}",mesh="mesh"} 1`;
    await mesh.untilStatus('still names it', ({ dataPlane }) => dataPlane?.barePods === 1);

    expect((await pods())[0]?.metadata.uid).toBe(after?.metadata.uid);
    expect(await metrics.text()).toContain(evictions);
  });

  test('are evicted again when the injector was lost meanwhile: that may be why they came back bare', async () => {
    await createMesh({ sidecarInjector: { barePods: 'Evict' } });
    await label({ 'istio.io/rev': revision });
    await createDeployment(1);
    await mesh.untilStatus('names it', ({ dataPlane }) => dataPlane?.barePods === 1);
    await waitUntil({ what: 'the controller gives up' }, async () =>
      (await mesh.events()).some(({ reason }) => reason === 'ComesBackBare'),
    );
    const [before] = await pods();

    await setInjectorReady('False');
    await setInjectorReady('True');

    await waitUntil({ what: 'the pod is another one' }, async () => {
      const [now] = await pods();
      return now !== undefined && now.metadata.uid !== before?.metadata.uid;
    });
  });

  test('stay while a disruption budget keeps them, and the condition says so', async () => {
    await createBudget();
    await createMesh({ sidecarInjector: { barePods: 'Evict' } });
    await label({ 'istio.io/rev': revision });
    await createDeployment(1);

    await mesh.untilStatus('says what keeps them', ({ conditions = [] }) =>
      conditions.some(({ message }) => message.includes('a disruption budget keeps')),
    );
    expect(await metrics.text()).not.toContain(
      `mesh_operator_bare_pod_evictions_total{namespace="${mesh.key.namespace}"`,
    );
  });
});

describe('pods with a proxy', () => {
  test('are in status by the revision that they follow, until they are gone', async () => {
    await createMesh();
    const other = await world.ownNamespace('other');
    await createDeployment(2, {}, namespace, injectedBy(revision));
    await createDeployment(1, {}, other, injectedBy(revision));
    await createDeployment(1, {}, await world.ownNamespace('foreign'), injectedBy('another'));

    await mesh.untilStatus('names both namespaces', ({ dataPlane }) =>
      isDeepStrictEqual(dataPlane?.revisions, [
        { name: revision, pods: 3, namespaces: [namespace, other].sort() },
      ]),
    );

    await world.cluster.kubectl('delete', 'namespace', other, '--wait=false');

    await mesh.untilStatus('names one', ({ dataPlane }) =>
      isDeepStrictEqual(dataPlane?.revisions, [{ name: revision, pods: 2, namespaces: [namespace] }]),
    );
  });
});

interface PodTraits {
  readonly annotations?: Record<string, string>;
  readonly containers?: readonly { readonly name: string; readonly image: string }[];
}

/** As the injector leaves pods: with the proxy, and with the revision in an annotation. */
function injectedBy(revision: string): PodTraits {
  return {
    annotations: { 'sidecar.istio.io/status': JSON.stringify({ revision }) },
    containers: [{ name: 'istio-proxy', image: 'proxyv2' }],
  };
}

function runController(): Promise<void> {
  const { log } = recordingLog();
  const deps = { client: world.client, clock: systemClock, random: Math.random, log };
  const meshes = new Informer({ kind: kindInfo('meshoperator.dev/v1alpha1', 'MeshOperator') }, deps);
  const namespaces = createNamespaceInformer(deps);
  const events = new EventRecorder({
    ...{ client: world.client, clock: systemClock, component: 'mesh-operator', instance: 'test' },
    onFailure: (error) => log.warn('Event not written', { error }),
  });
  const dataPlane = createDataPlaneController({
    ...{
      ...deps,
      events,
      meshes,
      namespaces,
      metrics: metrics.controller('data-plane'),
      podMetrics: metrics,
      mayAct: () => true,
    },
    upgradeMetrics: metrics.controller('upgrade'),
    meshesOf: () => [...meshes.values()],
  });
  const manager = new Manager(
    {},
    {
      ...{ clock: systemClock, log },
      ...{ informers: [meshes, namespaces, ...dataPlane.informers], controllers: dataPlane.controllers },
    },
  );
  return manager.run(stop.signal);
}

async function createMesh(
  spec: MeshOperatorSpec = {},
  injectorReady: 'True' | 'False' = 'True',
): Promise<void> {
  const sidecarInjector = { enabled: true, ...spec.sidecarInjector };
  mesh = await world.createMesh({ revision, ...spec, sidecarInjector });
  await setInjectorReady(injectorReady);
}

/** As the admission controller would. */
async function setInjectorReady(status: 'True' | 'False'): Promise<void> {
  const condition = {
    ...{ type: 'InjectorReady', status, reason: status === 'True' ? 'Reached' : 'NoReplica' },
    ...{ message: 'as the test says', lastTransitionTime: nextSecond() },
  };
  const { apiVersion, kind, name } = mesh.id;
  await world.client.apply(
    {
      ...{ apiVersion, kind },
      metadata: { name, namespace: mesh.key.namespace },
      status: { conditions: [condition] },
    },
    { fieldManager: 'mesh-operator-admission', force: true, subresource: 'status' },
    never,
  );
}

let seconds = Date.parse('2026-01-01T00:00:00Z');

/** Each call's time is a second later: conditions keep whole ones. */
function nextSecond(): string {
  seconds += 1_000;
  return wholeSeconds(new Date(seconds));
}

async function label(labels: Readonly<Record<string, string | null>>): Promise<void> {
  const id = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
  const patch = { type: 'merge' as const, merge: { metadata: { labels } } };
  await world.client.patch(id, patch, { fieldManager: 'test' }, never);
}

async function createDeployment(
  replicas: number,
  labels: Record<string, string> = {},
  where = namespace,
  { annotations = {}, containers = [] }: PodTraits = {},
): Promise<void> {
  const selector = { app: 'app' };
  await world.client.create(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'app', namespace: where },
      spec: {
        replicas,
        selector: { matchLabels: selector },
        template: {
          metadata: { labels: { ...selector, ...labels }, annotations },
          spec: { containers: [{ name: 'app', image: 'app' }, ...containers] },
        },
      },
    },
    { fieldManager: 'test' },
    never,
  );
}

async function createBudget(): Promise<void> {
  await world.client.create(
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'app', namespace },
      spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'app' } } },
    },
    { fieldManager: 'test' },
    never,
  );
}

async function pods(): Promise<KubernetesObject[]> {
  const { items } = await world.client.list(kindInfo('v1', 'Pod'), { namespace }, never);
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

async function untilPodEvent(pod: KubernetesObject, reason: string): Promise<void> {
  const fieldSelector = `involvedObject.uid=${pod.metadata.uid}`;
  await waitUntil({ what: `an Event ${reason} is about ${pod.metadata.name}` }, async () => {
    const { items } = await world.client.list(kindInfo('v1', 'Event'), { namespace, fieldSelector }, never);
    return items.some((event) => event.reason === reason);
  });
}
