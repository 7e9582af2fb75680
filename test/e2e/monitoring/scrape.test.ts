import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { idOf, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { RuleGroup } from '../../../src/render/monitoring/rule-groups.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { readManifest } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { discoverTargets, staticConfig } from '../../support/discovered-targets.ts';
import { installCrds } from '../../support/install-crds.ts';
import { monitorConfig } from '../../support/monitor-config.ts';
import { prometheusOperatorCrds } from '../../support/prometheus-operator-crds.ts';
import { PrometheusProcess } from '../../support/prometheus-process.ts';
import { installRealMesh, type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { never, testClient } from '../../support/test-client.ts';

const apps = [
  { namespace: 'shop', name: 'web' },
  { namespace: 'outside', name: 'legacy' },
];
const wholeMesh = [
  'istio-system/istiod: istiod',
  'istio-system/mesh-proxies: istio-ingressgateway, gateway istio-system/istio-ingressgateway',
  'istio-system/mesh-proxies: web',
  'istio-system/sidecar-injector: sidecar-injector',
];

let real: RealMesh;
let cluster: Cluster;
let crds: KubernetesObject[];
let prometheus: PrometheusProcess;
/** Tells what there is in the cluster, as a Prometheus in it would find by itself. */
let finder: Server;

beforeAll(async () => {
  crds = await prometheusOperatorCrds();
  const { client, connection } = testClient((await sharedCluster('kubelet')).kubeconfigPath);
  await installCrds(client, crds);
  await connection.close();
  real = await installRealMesh('test/e2e/monitoring/mesh.yaml');
  cluster = real.cluster;
  await cluster.apply(await readManifest('test/e2e/monitoring/apps.yaml'));
  for (const { namespace, name } of apps) {
    await cluster.kubectl('rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=240s');
  }
  const monitors = [...(await ofMesh('servicemonitors')), ...(await ofMesh('podmonitors'))];
  finder = createServer(async ({ url = '' }, response) => {
    const found = await targetsFor(JSON.parse(decodeURIComponent(url.slice(2))) as Found).catch(
      () => undefined,
    );
    response.writeHead(found === undefined ? 503 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found));
  }).listen(0, '127.0.0.1');
  await new Promise((done) => finder.once('listening', done));
  const config = await monitorConfig(monitors, (discovery) => {
    const { port } = finder.address() as AddressInfo;
    const asked = encodeURIComponent(JSON.stringify(discovery));
    // The interval is also how long Prometheus waits for an answer.
    return { http_sd_configs: [{ url: `http://127.0.0.1:${port}/?${asked}`, refresh_interval: '3s' }] };
  });
  const rules = (await ofMesh('prometheusrules')) as unknown as { spec: { groups: RuleGroup[] } }[];
  prometheus = await PrometheusProcess.start(
    config,
    rules.flatMap(({ spec }) => spec.groups),
  );
});

afterAll(async () => {
  await prometheus?.stop();
  finder?.close();
  if (real === undefined) return;
  for (const crd of crds) await real.admin.client.delete(idOf(crd), {}, never);
  await removeRealMesh(real, ...apps.map(({ namespace }) => namespace));
});

test('a Prometheus reads istiod, the injector, every gateway and every sidecar, and nothing else', async () => {
  await untilRead(wholeMesh);
});

test.each([
  [
    'istiod',
    ['pilot_xds', 'pilot_proxy_convergence_time_bucket', 'citadel_server_root_cert_expiry_timestamp'],
  ],
  ['sidecar-injector', ['mesh_operator_injector_certificate_not_after_seconds']],
  ['mesh-proxies', ['envoy_server_uptime', 'istio_agent_cert_expiry_seconds']],
])('it has the figures of all that it reads of %s', async (part, names) => {
  const job = `job="istio-system/${part}"`;
  const podsWith = (name: string) => podsOf(`count by (pod) (${name}{${job}})`);

  const pods = await podsOf(`up{${job}}`);
  for (const name of names) {
    await waitUntil({ what: `${name} is known of ${pods}` }, async () => {
      return (await podsWith(name)).join() === pods.join();
    });
  }
});

test('the rules of the mesh can be evaluated on that, and tell nobody of a mesh that is well', async () => {
  await waitUntil({ what: 'every rule has been evaluated' }, async () => {
    return (await prometheus.rules()).every(({ health }) => health !== 'unknown');
  });

  const rules = await prometheus.rules();
  expect(rules.length).toBeGreaterThan(10);
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  let alerts: unknown[] = [];
  const explain = async () => JSON.stringify(alerts);
  await waitUntil({ what: 'no alert is on its way', explain }, async () => {
    alerts = await prometheus.query('ALERTS');
    return alerts.length === 0;
  });
});

test('pods that come are read, and those that go are not any more', async () => {
  await cluster.kubectl('scale', '-n', 'shop', 'deployment/web', '--replicas=2');
  await untilRead([...wholeMesh, 'istio-system/mesh-proxies: web'].sort());

  await cluster.kubectl('scale', '-n', 'shop', 'deployment/web', '--replicas=0');
  await untilRead(wholeMesh.filter((target) => !target.endsWith(': web')));
});

/** Which targets a monitor looks among. */
interface Found {
  readonly role: string;
  readonly namespaces?: { readonly names: readonly string[] };
}

async function targetsFor({ role, namespaces }: Found): Promise<object[]> {
  const [pods, services] = await Promise.all(
    ['Pod', 'Service'].map(async (kind) => {
      const { items } = await real.admin.client.list(kindInfo('v1', kind), {}, never);
      return items as unknown as never[];
    }),
  );
  return discoverTargets(pods ?? [], services ?? [])
    .filter((target) => target.role === role && (namespaces?.names.includes(target.namespace) ?? true))
    .map(staticConfig);
}

/** The monitors or rules that the operator has made, as the cluster has them. */
async function ofMesh(plural: string): Promise<KubernetesObject[]> {
  const text = await cluster.kubectl('get', plural, '-n', 'istio-system', '-o', 'json');
  return (JSON.parse(text) as { items: KubernetesObject[] }).items;
}

/** Waits until exactly these targets answer: job, workload, and whether it is a gateway. */
async function untilRead(wanted: readonly string[]): Promise<void> {
  let read: string[] = [];
  const explain = async () => JSON.stringify({ read, targets: await prometheus.targets() });
  await waitUntil({ what: 'exactly these are read', intervalMs: 300, explain }, async () => {
    const found = await prometheus.query('up == 1');
    const down = await prometheus.query('up == 0');
    read = found.map(({ labels: { job, pod, gateway } }) => {
      const workload = pod?.replace(/-[a-z0-9]+-[a-z0-9]{5}$/, '');
      return `${job}: ${workload}${gateway === undefined ? '' : `, gateway ${gateway}`}`;
    });
    return down.length === 0 && read.sort().join() === wanted.join();
  });
}

/** The pods that an answer is of. */
async function podsOf(query: string): Promise<string[]> {
  return (await prometheus.query(query)).map(({ labels }) => labels.pod ?? '').sort();
}
