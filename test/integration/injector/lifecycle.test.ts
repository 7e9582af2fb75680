import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../../cluster/cluster.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { aReview } from '../../support/admission-review.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { aPod } from '../../support/injection-input.ts';
import {
  certificateFiles,
  configurationText,
  type InjectorOptions,
  RunningInjector,
} from '../../support/running-injector.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { uniqueName } from '../../support/test-client.ts';

let cluster: Cluster;
let injectors: RunningInjector[];
const innocent = JSON.stringify(aReview(aPod()));

beforeAll(async () => {
  cluster = await sharedCluster();
});

beforeEach(() => {
  injectors = [];
});

afterEach(async () => {
  await Promise.all(injectors.map((injector) => injector.remove()));
});

async function anInjector(
  options: InjectorOptions = {},
  kubeconfig = cluster.kubeconfigPath,
): Promise<RunningInjector> {
  const injector = await RunningInjector.start(kubeconfig, options);
  injectors.push(injector);
  return injector;
}

describe('the injector', () => {
  test('after SIGTERM is not ready, answers on, and ends in order when nobody is sent to it any more', async () => {
    const injector = await anInjector({ flags: ['--drain-delay-seconds', '2'] });
    await injector.post(innocent);

    injector.signal('SIGTERM');
    await injector.untilLogged('Draining');
    const ready = await injector.ready();
    const answer = await injector.post(innocent);

    expect(ready).toMatchObject({ code: 503, body: expect.stringContaining('draining: stopping') });
    expect(answer).toMatchObject({ code: 200, headers: { connection: 'close' } });
    expect(await injector.ended).toBe(0);
    expect(injector.logged('Drained')).toHaveLength(1);
    expect(injector.logged('Connections cut off')).toEqual([]);
  });

  test('answers a request that is under way when it stops listening', async () => {
    const injector = await anInjector({ flags: ['--drain-delay-seconds', '0'] });
    const request = await injector.beginPost(innocent.length);
    await request.send(innocent.slice(0, 100));

    injector.signal('SIGTERM');
    await waitUntil({ what: 'it takes no connection', limitMs: 10_000, intervalMs: 10 }, () =>
      injector.servedSerial().then(
        () => false,
        () => true,
      ),
    );
    await request.send(innocent.slice(100));

    expect(await request.answer).toMatchObject({
      code: 200,
      body: expect.stringContaining('"allowed":true'),
    });
    expect(await injector.ended).toBe(0);
  });

  test('waits, not ready, for a certificate and a configuration, and needs no restart when they come', async () => {
    const injector = await anInjector({ isComplete: false });
    await waitUntil({ what: 'only files are missing', limitMs: 20_000, intervalMs: 20 }, async () => {
      const { body } = await injector.ready();
      return !body.includes('namespaces') && body.includes('certificate:') && body.includes('configuration:');
    });
    await expect(injector.servedSerial()).rejects.toThrow();

    await injector.certificates.replace(certificateFiles(await injector.authority.issue()));
    await injector.untilLogged('Files loaded', { what: 'certificate' });
    const unconfigured = await injector.post(innocent);
    await injector.configuration.replace({ 'config.json': configurationText() });
    await injector.untilReady();

    expect(unconfigured).toMatchObject({ code: 503 });
    expect(await injector.post(innocent)).toMatchObject({ code: 200 });
  });

  test('needs no right but to list and watch namespaces, and asks the API server for nothing else', async () => {
    const proxy = await FaultProxy.start(cluster.kubeconfigPath);
    const user = uniqueName('injector');
    await cluster.apply(JSON.stringify(readerOfNamespaces(user)));
    proxy.impersonate(user);

    const injector = await anInjector({}, proxy.kubeconfig);
    await injector.post(innocent);

    expect((await injector.ready()).code).toBe(200);
    expect(new Set(proxy.requests.map(({ method, path }) => `${method} ${path}`))).toEqual(
      new Set(['GET /api/v1/namespaces']),
    );
    await proxy.stop();
  });

  test('answers from memory while the API server is away', async () => {
    const proxy = await FaultProxy.start(cluster.kubeconfigPath);
    const injector = await anInjector({}, proxy.kubeconfig);
    const known = JSON.stringify(aReview(aPod(), { namespace: 'default' }));
    const before = await injector.post(known);

    await proxy.refuseConnections();
    await injector.untilLogged('Informer interrupted');

    expect((await injector.post(known)).body).toBe(before.body);
    expect((await injector.ready()).code).toBe(200);
    expect(injector.logged('Decided', { namespace: 'default', reason: 'NotSelected' })).toHaveLength(2);
    await proxy.stop();
  });
});

function readerOfNamespaces(user: string): object {
  const group = 'rbac.authorization.k8s.io';
  const role = {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRole',
    metadata: { name: user },
    rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] }],
  };
  const binding = {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: user },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: user },
    subjects: [{ apiGroup: group, kind: 'User', name: user }],
  };
  return { apiVersion: 'v1', kind: 'List', items: [role, binding] };
}
