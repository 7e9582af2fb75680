import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type KindInfo, kindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Informer, type InformerEvent, type InformerOptions } from '../../src/runtime/informer.ts';
import { crdNameOf, ServedKind } from '../../src/runtime/served-kind.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { recordingLog } from '../support/recording-log.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient } from '../support/test-client.ts';

const configMaps = kindInfo('v1', 'ConfigMap');
const watches = { isWatch: true, path: /configmaps/ };
const lists = { isList: true, path: /configmaps/ };

/** Straight to the API server, for the test's own writes. */
let direct: TestClient;
let proxy: FaultProxy;
let proxied: TestClient;
let namespace: string;
let stop: AbortController;

beforeAll(async () => {
  const cluster = await sharedCluster();
  direct = testClient(cluster.kubeconfigPath);
});

afterAll(() => direct.connection.close());

beforeEach(async () => {
  const cluster = await sharedCluster();
  proxy = await FaultProxy.start(cluster.kubeconfigPath);
  proxied = testClient(proxy.kubeconfig);
  namespace = await ownNamespace(direct.client, 'informer');
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await proxied.connection.close();
  await proxy.stop();
});

function aConfigMap(
  name: string,
  data: Record<string, string> = {},
  labels = { app: 'test' },
): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels }, data };
}

function write(name: string, data: Record<string, string> = {}): Promise<KubernetesObject> {
  return direct.client.apply(aConfigMap(name, data), { fieldManager: 'test', force: true }, never);
}

function remove(name: string): Promise<void> {
  return direct.client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }, {}, never);
}

function anInformer(options: Partial<InformerOptions> = {}) {
  const { log, lines } = recordingLog();
  const informer = new Informer(
    { kind: configMaps, namespace, labelSelector: 'app=test', ...options },
    { client: proxied.client, clock: systemClock, log, random: Math.random },
  );
  const events: InformerEvent[] = [];
  informer.addHandler((event) => events.push(event));
  return { informer, events, lines };
}

async function aSyncedInformer(options: Partial<InformerOptions> = {}) {
  const parts = anInformer(options);
  void parts.informer.run(stop.signal);
  await parts.informer.waitForSync(never);
  await watchCount(1);
  return parts;
}

/** Resolves when the API server has accepted this many watches since the test began. */
async function watchCount(count: number): Promise<void> {
  await waitUntil({ what: `watch ${count} is open` }, async () => {
    return proxy.requestsLike(watches).filter(({ status }) => status === 200).length >= count;
  });
}

async function until(informer: Informer, what: string, check: () => boolean): Promise<void> {
  await waitUntil({ what }, async () => check());
  expect(informer.hasSynced).toBe(true);
}

describe('the informer', () => {
  test('holds what is there, page by page, and follows what comes, changes and goes', async () => {
    for (const name of ['a', 'b', 'c']) await write(name, { v: '1' });

    const { informer, events } = await aSyncedInformer({ pageSize: 2 });
    expect([...informer.values()].map(({ metadata }) => metadata.name).sort()).toEqual(['a', 'b', 'c']);
    expect(proxy.requestsLike(lists)).toHaveLength(2);
    events.length = 0;

    await write('d', { v: '1' });
    await write('a', { v: '2' });
    await remove('b');
    await until(informer, 'three events have come', () => events.length === 3);

    expect(informer.get(namespace, 'a')?.data).toEqual({ v: '2' });
    expect(informer.get(namespace, 'b')).toBeUndefined();
    expect(events.map(({ key, old, current }) => ({ key, old: old?.data, current: current?.data }))).toEqual([
      { key: `${namespace}/d`, old: undefined, current: { v: '1' } },
      { key: `${namespace}/a`, old: { v: '1' }, current: { v: '2' } },
      { key: `${namespace}/b`, old: { v: '1' }, current: undefined },
    ]);
  });

  test('sees only what its selector chooses, and drops what leaves the selection', async () => {
    await direct.client.apply(aConfigMap('other', {}, { app: 'other' }), { fieldManager: 'test' }, never);
    await write('a');
    const { informer } = await aSyncedInformer();
    expect(informer.size).toBe(1);

    await direct.client.apply(
      aConfigMap('a', {}, { app: 'other' }),
      { fieldManager: 'test', force: true },
      never,
    );

    await until(informer, 'the object has left', () => informer.size === 0);
  });

  test('finds the objects of one owner by its index', async () => {
    await write('a', { owner: 'one' });
    await write('b', { owner: 'two' });
    const index = ({ data }: KubernetesObject) => [(data as { owner: string }).owner];
    const { informer } = await aSyncedInformer({ index });
    expect(informer.byGroup('one').map(({ metadata }) => metadata.name)).toEqual(['a']);

    await write('a', { owner: 'two' });
    await until(informer, 'it has changed hands', () => informer.byGroup('two').length === 2);

    expect(informer.byGroup('one')).toEqual([]);
  });

  test('goes on without a list after its watch was dropped, and misses nothing', async () => {
    const { informer } = await aSyncedInformer();
    await write('before');
    await until(informer, 'the first has come', () => informer.size === 1);

    expect(proxy.dropWatches(watches)).toBe(1);
    await write('meanwhile');
    await until(informer, 'the second has come', () => informer.size === 2);

    expect(proxy.requestsLike(lists)).toHaveLength(1);
    expect(proxy.requestsLike(watches)).toHaveLength(2);
  });

  test('replaces a watch that has gone silent, without a list', async () => {
    const { informer } = await aSyncedInformer({ watchIdleTimeoutMs: 500 });

    expect(proxy.silenceWatches(watches)).toBe(1);
    await write('unheard');
    await until(informer, 'it has come', () => informer.size === 1);

    expect(proxy.requestsLike(lists)).toHaveLength(1);
  });

  test('lists again when the version it watches from is no longer kept, and tells what happened meanwhile', async () => {
    await write('stays', { v: '1' });
    await write('goes');
    const { informer, events } = await aSyncedInformer();
    events.length = 0;
    proxy.failNext(watches, { status: 410, reason: 'Expired' });
    const held = proxy.holdNext(lists);

    proxy.dropWatches(watches);
    await held.arrived;
    await write('stays', { v: '2' });
    await remove('goes');
    await write('comes');
    held.release();
    await until(informer, 'all three events have come', () => events.length === 3);

    expect(events.map(({ key }) => key).sort()).toEqual(
      ['comes', 'goes', 'stays'].map((name) => `${namespace}/${name}`),
    );
    expect(informer.get(namespace, 'stays')?.data).toEqual({ v: '2' });
    expect(proxy.requestsLike(lists)).toHaveLength(2);
  });

  test('comes back after 429, and not before the time the server named', async () => {
    proxy.failNext(lists, { status: 429, retryAfterSeconds: 1, reason: 'TooManyRequests' }, 2);
    await write('a');
    const { informer, lines } = anInformer();

    void informer.run(stop.signal);
    await informer.waitForSync(never);

    expect(informer.size).toBe(1);
    const waits = lines.filter(({ message }) => message === 'Informer interrupted');
    expect(waits.map(({ retryInMs }) => retryInMs)).toEqual([1000, 1000]);
  });

  test('outlives an outage and then knows what happened in it, without a list', async () => {
    const { informer } = await aSyncedInformer();

    await proxy.refuseConnections();
    await write('meanwhile');
    await waitUntil({ what: 'the informer has noticed' }, async () => {
      return proxied.requests.filter(({ verb, code }) => verb === 'watch' && code === 'error').length >= 3;
    });
    await proxy.acceptConnections();
    await until(informer, 'it has caught up', () => informer.size === 1);

    expect(proxy.requestsLike(lists)).toHaveLength(1);
  });

  test('takes the answer to a write at once, and ignores one that its watch has passed', async () => {
    const { informer, events } = await aSyncedInformer();
    proxy.silenceWatches(watches);
    const created = await write('a', { v: '1' });

    informer.observeWrite(created);
    expect(informer.get(namespace, 'a')?.data).toEqual({ v: '1' });
    expect(events).toHaveLength(1);

    await remove('a');
    proxy.dropWatches(watches);
    await until(informer, 'the watch has brought the end', () => informer.size === 0);
    informer.observeWrite(created);
    expect(informer.size).toBe(0);
  });

  test('keeps its own claims and drops those of status writers', async () => {
    const labelled: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { informer: namespace } },
    };
    await direct.client.apply(labelled, { fieldManager: 'test' }, never);
    await direct.client.patch(
      { apiVersion: 'v1', kind: 'Namespace', name: namespace },
      { type: 'merge', merge: { status: { conditions: [{ type: 'Tested', status: 'True' }] } } },
      { fieldManager: 'status-writer', subresource: 'status' },
      never,
    );
    const { log } = recordingLog();
    const informer = new Informer(
      { kind: kindInfo('v1', 'Namespace'), labelSelector: `informer=${namespace}` },
      { client: proxied.client, clock: systemClock, log, random: Math.random },
    );

    void informer.run(stop.signal);
    await informer.waitForSync(never);

    const managers = informer
      .get(undefined, namespace)
      ?.metadata.managedFields?.map(({ manager }) => manager);
    expect(managers).toEqual(['test', 'test']);
  });

  describe('of a kind that a CRD brings', () => {
    const widgets: KindInfo = {
      ...{ apiVersion: 'informer.test/v1', kind: 'Widget', plural: 'widgets', namespaced: true },
    };
    const crdId = {
      ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
      name: crdNameOf(widgets),
    };
    const widgetPath = { path: /widgets/ };

    afterEach(async () => {
      await direct.client.delete(crdId, {}, never);
      await waitUntil({ what: 'the CRD is gone' }, async () => {
        return (await direct.client.find(crdId, never)) === undefined;
      });
    });

    async function installCrd(): Promise<void> {
      const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
      const spec = {
        group: 'informer.test',
        scope: 'Namespaced',
        names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      };
      const { name, ...type } = crdId;
      await direct.client.apply({ ...type, metadata: { name }, spec }, { fieldManager: 'test' }, never);
    }

    /** Makes an object of the kind, once it is served; by kubectl, since our client knows paths of our kinds alone. */
    async function makeWidget(name: string): Promise<void> {
      const { apiVersion, kind } = widgets;
      const cluster = await sharedCluster();
      await waitUntil({ what: 'the kind is served' }, () =>
        cluster.apply(JSON.stringify({ apiVersion, kind, metadata: { name, namespace } })).then(
          () => true,
          () => false,
        ),
      );
    }

    async function aFollower() {
      const { log } = recordingLog();
      const deps = { client: proxied.client, clock: systemClock, log, random: Math.random };
      const kind = kindInfo(crdId.apiVersion, crdId.kind);
      const crds = new Informer({ kind, metadataOnly: true }, deps);
      const users = new Informer({ kind: configMaps, namespace }, deps);
      const served = new ServedKind(widgets, { crds, users });
      const informer = new Informer({ kind: widgets, namespace, served }, deps);
      void crds.run(stop.signal);
      void users.run(stop.signal);
      void informer.run(stop.signal);
      await informer.waitForSync(never);
      return { crds, served, informer };
    }

    test('asks for nothing until somebody wants it and the CRD is there, and then follows', async () => {
      const { served, informer } = await aFollower();
      served.want();
      expect([informer.hasSynced, informer.size]).toEqual([true, 0]);
      expect(proxy.requestsLike(widgetPath)).toEqual([]);

      await installCrd();
      await makeWidget('a');

      await until(informer, 'the object is seen', () => informer.get(namespace, 'a') !== undefined);
    });

    test('knows nothing of it when the CRD is gone, and follows again when it is back', async () => {
      await installCrd();
      await makeWidget('a');
      const { crds, served, informer } = await aFollower();
      expect([informer.hasSynced, proxy.requestsLike(widgetPath)]).toEqual([true, []]);
      served.want();
      await until(informer, 'the object is seen', () => informer.size === 1);

      await direct.client.delete(crdId, {}, never);
      await until(crds, 'the CRD is gone', () => crds.get(undefined, crdId.name) === undefined);
      await until(informer, 'the cache is empty', () => informer.size === 0);
      await installCrd();
      await makeWidget('b');

      await until(informer, 'the new object is seen', () => informer.get(namespace, 'b') !== undefined);
    });

    test('keeps no more of a CRD than its metadata', async () => {
      await installCrd();
      const { crds } = await aFollower();

      await until(crds, 'the CRD is seen', () => crds.get(undefined, crdId.name) !== undefined);

      expect(crds.get(undefined, crdId.name)).not.toHaveProperty('spec');
    });
  });
});
