import { dump } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTraffic } from '../../../src/cli/sidecar-scope/read-scope-input.ts';
import type { ScopeReport } from '../../../src/cli/sidecar-scope/suggest-scopes.ts';
import { sidecarScope } from '../../../src/cli/sidecar-scope.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { askAppFrom, clientIdentity, execIn } from '../../support/app-requests.ts';
import { installRealMesh, type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { runCli } from '../../support/run-cli.ts';
import { type CountedRequests, RunningPrometheus } from '../../support/running-prometheus.ts';
import { never } from '../../support/test-client.ts';

const client = { namespace: 'shop', workload: 'deployment/client' };
const called = { namespace: 'bank', workload: 'deployment/ledger' };
const neverCalled = Array.from({ length: 20 }, (_, index) => `unused-${index}`);

let real: RealMesh;
let prometheus: RunningPrometheus;

/** The stock Envoy of local clusters counts no requests, so what Prometheus scrapes are the words of one that does. */
beforeAll(async () => {
  real = await installRealMesh('test/e2e/traffic/mesh.yaml');
  const { cluster } = real;
  await cluster.apply(
    objects([
      ...['shop', 'bank'].map((name) => aNamespace(name, { 'istio-injection': 'enabled' })),
      aNamespace('other'),
      ...[client, called].flatMap(anApp),
      ...neverCalled.map((name) => aService('other', name)),
    ]),
  );
  prometheus = await RunningPrometheus.start();
  prometheus.setTraffic([theCall('source'), theCall('destination')]);
  for (const { namespace, workload } of [client, called]) {
    await cluster.kubectl('rollout', 'status', '-n', namespace, workload, '--timeout=240s');
  }
  await waitUntil({ what: 'Prometheus has the call, from both sides' }, async () => {
    const { calls, workloads } = await readTraffic(prometheus.address, 600_000, new Date(), never);
    return calls.length === 1 && workloads.length === 2;
  });
});

afterAll(async () => {
  await prometheus?.stop();
  if (real !== undefined) await removeRealMesh(real, 'shop', 'bank', 'other');
});

test('a proxy knows as much less as was said, and what was called is called as before', async () => {
  const { shop, yaml } = await suggested();
  await untilOutboundClusters(shop?.before.clusters ?? 0);

  await real.cluster.apply(yaml);
  await untilOutboundClusters(shop?.after.clusters ?? 0);

  const answer = await askAppFrom(real.cluster, client, 'http://ledger.bank/');
  expect(answer.name).toBe('ledger');
  expect(clientIdentity(answer)).toBe('spiffe://cluster.local/ns/shop/sa/default');
  expect(shop).toMatchObject({ leftOut: { other: neverCalled.length } });
  expect(Object.keys(await outboundClusters())).not.toContain('other');
  expect((await suggested()).shop).toBeUndefined();
});

/** What the verb says of the shop once Prometheus has the call, and the Sidecars of all namespaces. */
async function suggested() {
  const run = (output: 'json' | 'yaml') =>
    runCli((terminal) =>
      sidecarScope(
        {
          ...{ kubeconfig: real.cluster.kubeconfigPath, prometheus: prometheus.address },
          ...{ window: '10m', per: 'namespace', output },
        },
        terminal,
      ),
    );
  const { stdout } = await run('json');
  const { suggestions, refusals } = JSON.parse(stdout) as ScopeReport;
  const of = (name: string) => suggestions.find(({ namespace }) => namespace === name);
  expect(
    refusals.map(({ namespace, why }) => `${namespace}: ${why}`).filter((text) => text.includes('metrics')),
  ).toEqual([]);
  return { shop: of('shop'), yaml: (await run('yaml')).stdout };
}

async function untilOutboundClusters(count: number): Promise<void> {
  const explain = async () => JSON.stringify(await outboundClusters());
  await waitUntil({ what: `the client has ${count} outbound clusters`, explain }, async () => {
    const clusters = await outboundClusters();
    return Object.values(clusters).reduce((sum, own) => sum + own, 0) === count;
  });
}

/** How many clusters for services the client's Envoy has, by their namespace. */
async function outboundClusters(): Promise<Record<string, number>> {
  const path = 'config_dump?resource=dynamic_active_clusters';
  const proxy = { ...client, container: 'istio-proxy' };
  const text = await execIn(real.cluster, proxy, 'pilot-agent', 'request', 'GET', path);
  const { configs } = JSON.parse(text) as { configs: { cluster: { name: string } }[] };
  const counts: Record<string, number> = {};
  for (const { cluster } of configs) {
    const namespace = /^outbound\|\d+\|\|[^.]+\.([^.]+)\.svc\./.exec(cluster.name)?.[1];
    if (namespace !== undefined) counts[namespace] = (counts[namespace] ?? 0) + 1;
  }
  return counts;
}

function theCall(reporter: 'source' | 'destination'): CountedRequests {
  const labels = {
    ...{ reporter, source_workload: 'client', source_workload_namespace: 'shop' },
    ...{ destination_service: 'ledger.bank.svc.cluster.local', destination_service_name: 'ledger' },
    ...{ destination_service_namespace: 'bank', destination_workload: 'ledger' },
    destination_workload_namespace: 'bank',
  };
  return { labels, count: 1 };
}

function objects(list: readonly object[]): string {
  return list.map((object) => dump(object)).join('---\n');
}

function aNamespace(name: string, labels: Readonly<Record<string, string>> = {}) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function aService(namespace: string, name: string) {
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports },
  };
}

function anApp({ namespace, workload }: typeof client): object[] {
  const name = workload.replace('deployment/', '');
  const container = {
    ...{ name: 'app', image: 'meshoperator.dev/test-app:1', imagePullPolicy: 'IfNotPresent' },
    args: ['serve', '-name', name],
    startupProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, failureThreshold: 120 },
  };
  const template = {
    metadata: { labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 1, containers: [container] },
  };
  return [
    aService(namespace, name),
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace } },
      spec: { selector: { matchLabels: { app: name } }, template },
    },
  ];
}
