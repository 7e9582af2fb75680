import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { readTraffic } from '../../src/cli/sidecar-scope/read-scope-input.ts';
import type { ScopeReport } from '../../src/cli/sidecar-scope/suggest-scopes.ts';
import { type SidecarScopeOptions, sidecarScope } from '../../src/cli/sidecar-scope.ts';
import { UsageError } from '../../src/cli/terminal.ts';
import { renderIstioCrds } from '../../src/render/istio-crds.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { installCrds } from '../support/install-crds.ts';
import { installMeshOperatorCrd } from '../support/mesh-operator-crd.ts';
import { type CliRun, runCli } from '../support/run-cli.ts';
import { type CountedRequests, RunningPrometheus } from '../support/running-prometheus.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient, uniqueName } from '../support/test-client.ts';

const sidecarCrd = renderIstioCrds().filter(
  ({ metadata }) => metadata.name === 'sidecars.networking.istio.io',
);

let prometheus: RunningPrometheus;

beforeAll(async () => {
  prometheus = await RunningPrometheus.start();
});

afterAll(() => prometheus?.stop());

describe('what a Prometheus knows of calls', () => {
  const from = uniqueName('shop');

  test.each<[string, CountedRequests]>([
    ['requests', counted(from, 'http', { count: 1 })],
    ['TCP connections', counted(from, 'tcp', { count: 1, metric: 'istio_tcp_connections_opened_total' })],
    ['a single call, which is the first value of its counter', counted(from, 'once', { count: 0, first: 1 })],
  ])('has %s', async (_name, traffic) => {
    prometheus.setTraffic([traffic]);

    await untilCalled(`${traffic.labels.source_workload}`, '10m', (count) => count >= 1);
  });

  test('has no call of a counter that has not changed in the window', async () => {
    prometheus.setTraffic([counted(from, 'old', { count: 0, first: 5 })]);
    await untilCalled('old', '10m', (count) => count === 5);

    await untilCalled('old', '2s', (count) => count === 0);
  });

  test('has the callee’s side of a call as a sign of its metrics, and not as another call', async () => {
    const { labels } = counted(from, 'callee', { count: 1 });
    prometheus.setTraffic([{ labels: { ...labels, reporter: 'destination' }, count: 1 }]);

    await waitUntil({ what: 'the callee is seen' }, async () => {
      const { calls, workloads } = await traffic('10m');
      expect(calls.filter(({ source }) => source.workload === 'callee')).toEqual([]);
      return workloads.some(({ workload, namespace }) => workload === 'web' && namespace === 'called');
    });
  });

  async function untilCalled(
    workload: string,
    window: '2s' | '10m',
    isRight: (count: number) => boolean,
  ): Promise<void> {
    await waitUntil({ what: `the calls of ${workload} in ${window}` }, async () => {
      const { calls } = await traffic(window);
      return isRight(calls.find(({ source }) => source.workload === workload)?.count ?? 0);
    });
  }

  function traffic(window: '2s' | '10m') {
    return readTraffic(prometheus.address, window === '2s' ? 2_000 : 600_000, new Date(), never);
  }
});

describe('Sidecars for a cluster', () => {
  let cluster: Cluster;
  let api: TestClient;
  let shop: string;
  let bank: string;

  beforeAll(async () => {
    cluster = await sharedCluster();
    api = testClient(cluster.kubeconfigPath);
    await installMeshOperatorCrd(cluster);
    await installCrds(api.client, sidecarCrd);
    shop = await ownNamespace(api.client, 'shop');
    bank = await ownNamespace(api.client, 'bank');
    await cluster.apply(
      JSON.stringify({
        ...{ apiVersion: 'v1', kind: 'List' },
        items: [
          ...[shop, bank].map((namespace) => serviceAccount(namespace)),
          ...[aPod(shop, 'client'), aPod(shop, 'web')],
          ...[aService(shop, 'web'), aService(bank, 'ledger'), aService(bank, 'audit')],
        ],
      }),
    );
    prometheus.setTraffic(
      ['client', 'web'].map((workload) => counted(shop, workload, { count: 1 }, `ledger.${bank}`)),
    );
    await waitUntil({ what: 'Prometheus has both callers' }, async () => {
      const { calls } = await readTraffic(prometheus.address, 600_000, new Date(), never);
      return calls.filter(({ source }) => source.namespace === shop).length === 2;
    });
  });

  afterAll(async () => {
    for (const { apiVersion, kind, metadata } of sidecarCrd) {
      await api?.client.delete({ apiVersion, kind, name: metadata.name }, {}, never);
    }
    await api?.connection.close();
  });

  function run(options: Partial<SidecarScopeOptions> = {}): Promise<CliRun> {
    const { kubeconfigPath: kubeconfig } = cluster;
    const usual: SidecarScopeOptions = {
      ...{ kubeconfig, prometheus: prometheus.address, namespace: shop, window: '10m' },
      ...{ per: 'namespace', output: 'json' },
    };
    return runCli((terminal) => sidecarScope({ ...usual, ...options }, terminal));
  }

  test('are printed ready to apply, and nothing is written', async () => {
    const before = await sidecars();

    const { code, stdout, stderr } = await run({ output: 'yaml' });

    expect(code).toBe(0);
    expect(await sidecars()).toEqual(before);
    expect(loadAll(stdout)).toEqual([
      {
        ...{ apiVersion: 'networking.istio.io/v1', kind: 'Sidecar' },
        metadata: { name: 'default', namespace: shop },
        spec: { egress: [{ hosts: ['./*', 'istio-system/*', `${bank}/ledger.${bank}.svc.cluster.local`] }] },
      },
    ]);
    expect(stderr).toContain(`Sidecar ${shop}/default is doubtful: there are metrics of client only since`);
  });

  test('leave out what is not called, which is counted; once applied, they fit', async () => {
    const [suggestion] = (JSON.parse((await run()).stdout) as ScopeReport).suggestions;
    await cluster.apply((await run({ output: 'yaml' })).stdout);
    const { suggestions, refusals } = JSON.parse((await run()).stdout) as ScopeReport;
    const text = await run({ output: 'text' });

    expect(suggestion?.leftOut).toMatchObject({ [bank]: 1 });
    expect(suggestion?.after.services).toBe((suggestion?.before.services ?? 0) - left(suggestion?.leftOut));
    expect({ suggestions, refusals }).toMatchObject({
      suggestions: [],
      refusals: [
        {
          namespace: shop,
          workloads: ['client', 'web'],
          why: 'its proxies know no more than they need',
          existing: { name: `${shop}/default`, unusedHosts: [], missingHosts: [] },
        },
      ],
    });
    expect(text.stdout).toContain(`In force now: Sidecar ${shop}/default, which fits the calls`);
  });

  test.each<[string, Partial<SidecarScopeOptions>, string]>([
    ['without a Prometheus', { prometheus: undefined }, '--sidecar-scope needs --prometheus'],
    [
      'with an address that is none',
      { prometheus: 'localhost' },
      '--prometheus must be an http or https address',
    ],
    ['with a window that is none', { window: '7d' }, '--window: "7d" is no duration of a second or more'],
    ['with a file', { filename: '-' }, '--sidecar-scope looks at a cluster'],
  ])('are refused %s', async (_name, options, message) => {
    const refused = run(options);

    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(message);
  });

  test('are not to be had from a Prometheus that does not answer, or has nothing of the mesh', async () => {
    const silent = await RunningPrometheus.start();
    const { address } = silent;

    const empty = run({ prometheus: address });
    await expect(empty).rejects.toThrow(
      `The Prometheus at ${address} has no metric of a sidecar in the last 10m (istio_requests_total, istio_tcp_connections_opened_total): have it scrape the proxies, or give a longer --window`,
    );
    await silent.stop();
    await expect(run({ prometheus: address })).rejects.toThrow(
      `The Prometheus at ${address} cannot be asked for the calls of the mesh: ECONNREFUSED`,
    );
  });

  async function sidecars(): Promise<string> {
    return cluster.kubectl('get', 'sidecars.networking.istio.io', '-A', '-o', 'name');
  }
});

function counted(
  namespace: string,
  workload: string,
  counter: Omit<CountedRequests, 'labels'>,
  service = 'web.called',
): CountedRequests {
  const [name = '', ofNamespace = ''] = service.split('.');
  const labels = {
    ...{ reporter: 'source', source_workload: workload, source_workload_namespace: namespace },
    ...{ destination_service: `${service}.svc.cluster.local`, destination_service_name: name },
    ...{ destination_service_namespace: ofNamespace, destination_workload: name },
    destination_workload_namespace: ofNamespace,
  };
  return { labels, ...counter };
}

function left(leftOut: Readonly<Record<string, number>> = {}): number {
  return Object.values(leftOut).reduce((sum, count) => sum + count, 0);
}

/** No controller makes one here. */
function serviceAccount(namespace: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } };
}

function aPod(namespace: string, name: string): object {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { app: name } } },
    spec: {
      containers: [
        { name: 'app', image: 'app' },
        { name: 'istio-proxy', image: 'proxy', args: ['proxy', 'sidecar'] },
      ],
    },
  };
}

function aService(namespace: string, name: string): object {
  return {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace } },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80 }] },
  };
}
