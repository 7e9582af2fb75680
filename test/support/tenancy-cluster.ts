import { dump, loadAll } from 'js-yaml';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { dnsPodPort } from '../cluster/cluster-dns.ts';
import { importImages, installOperator, readManifest } from '../cluster/operator.ts';
import type { AppContainer } from './app-requests.ts';
import { sharedCluster } from './shared-cluster.ts';
import { type TestClient, testClient } from './test-client.ts';
import { TestMesh } from './test-mesh.ts';

const examples = 'examples/tenancy';
const image = 'meshoperator.dev/test-app:1';
const gatewayName = 'istio-ingressgateway';

/** Namespace of pods that may read metrics. */
export const watchers = 'watchers';

/** A control plane of its own, with apps, each one pod with a sidecar that is named as its namespace. */
export interface Party {
  readonly name: string;
  readonly trustDomain: string;
  readonly namespace: string;
  /** Where apps are, the first of them behind the gateway. */
  readonly members: readonly [string, ...string[]];
  readonly bundle: string;
  readonly mesh: TestMesh;
}

/** Two tenants, and a mesh without tenancy that leaves them out, on a real node. */
export interface TenancyCluster {
  readonly cluster: Cluster;
  readonly admin: TestClient;
  readonly tenant: Party;
  readonly neighbour: Party;
  readonly outsider: Party;
}

const [tenantName, neighbourName] = ['payments', 'orders'];

/** Namespaces of the second tenant are named as those of the first. */
function ofNeighbour(text: string): string {
  return text.replaceAll(tenantName, neighbourName).replaceAll('pay-', 'ord-');
}

/**
 * Installs the operator, applies what is in `examples/tenancy`, that of the tenant a second time under other names, and returns
 * when each app answers for its probes.
 */
export async function startTenancy(): Promise<TenancyCluster> {
  const cluster = await sharedCluster('kubelet');
  const admin = testClient(cluster.kubeconfigPath);
  await importImages(cluster, ['istiod', 'proxyv2', 'test-app']);
  await installOperator(cluster);
  const [platform, team, tenantMesh, mesh] = await Promise.all(
    ['platform', 'team', 'tenant', 'mesh'].map((name) => readManifest(`${examples}/${name}.yaml`)),
  );
  const party = (name: string, fields: Omit<Party, 'name' | 'mesh'>, meshName = name): Party => ({
    ...{ name, ...fields },
    mesh: new TestMesh(admin.client, { namespace: fields.namespace, name: meshName }),
  });
  const tenantFields = {
    ...{
      trustDomain: tenantName,
      namespace: `${tenantName}-system`,
      members: ['pay-api', 'pay-db'] as const,
    },
    bundle: `istio-ca-root-cert-${tenantName}`,
  };
  const tenancy = {
    ...{ cluster, admin },
    tenant: party(tenantName, tenantFields),
    neighbour: party(
      neighbourName,
      JSON.parse(ofNeighbour(JSON.stringify(tenantFields))) as typeof tenantFields,
    ),
    outsider: party(
      'outsider',
      {
        ...{ trustDomain: 'cluster.local', namespace: 'istio-system', members: ['outsider'] as const },
        bundle: 'istio-ca-root-cert',
      },
      'mesh',
    ),
  };
  const parties = partiesOf(tenancy);

  await cluster.apply([platform, ofNeighbour(platform ?? ''), team].join('\n---\n'));
  await cluster.apply(manifest([aNamespace('istio-system'), aNamespace(watchers), aWatcher()]));
  for (const text of [mesh, tenantMesh, ofNeighbour(tenantMesh ?? '')]) {
    await cluster.apply(
      manifest((loadAll(text ?? '') as KubernetesObject[]).map((object) => small(object, cluster))),
    );
  }
  for (const { mesh } of parties) await mesh.until('Ready');
  for (const { mesh, members } of [tenancy.tenant, tenancy.neighbour]) {
    await mesh.untilStatus(`has members ${members}`, (status) => {
      const enrolled = (status.members ?? []).filter(({ state }) => state === 'Enrolled');
      return members.every((name) => enrolled.some(({ namespace }) => namespace === name));
    });
  }
  await cluster.apply(manifest(await stockEnvoy(parties)));
  await cluster.apply(manifest([aNamespace('outsider', { 'istio-injection': 'enabled' })]));
  await cluster.apply(manifest(parties.flatMap(appsOf)));
  for (const { namespace, workload } of parties.flatMap(workloadsOf)) {
    await cluster.kubectl('rollout', 'status', '-n', namespace, workload, '--timeout=240s');
  }
  return tenancy;
}

/** Takes everything away again but the operator. */
export async function stopTenancy(tenancy: TenancyCluster): Promise<void> {
  const { cluster, admin } = tenancy;
  const parties = partiesOf(tenancy);
  const members = parties.flatMap((party) => party.members);
  await cluster.kubectl('delete', 'namespaces', '--ignore-not-found', watchers, ...members);
  for (const { mesh } of parties) await mesh.delete();
  for (const { mesh } of parties) await mesh.untilGone();
  await cluster.kubectl('delete', 'namespaces', ...parties.map(({ namespace }) => namespace));
  await cluster.kubectl('delete', 'clusterrole', 'istio-admin');
  await admin.connection.close();
}

/** All three. */
export function partiesOf({ tenant, neighbour, outsider }: TenancyCluster): readonly Party[] {
  return [tenant, neighbour, outsider];
}

/** The app of a namespace. */
export function appOf(namespace: string): AppContainer {
  return { namespace, workload: `deployment/${namespace}` };
}

/** The sidecar of that app. */
export function proxyOf(namespace: string): AppContainer {
  return { ...appOf(namespace), container: 'istio-proxy' };
}

function workloadsOf({ members }: Party): AppContainer[] {
  return members.map(appOf);
}

/** Host that the gateway of a party leads to its first app. */
export function hostOf({ name }: Party): string {
  return `${name}.example.com`;
}

function small(object: KubernetesObject, cluster: Cluster): KubernetesObject {
  const requests = (memory: string) => ({ resources: { requests: { cpu: '10m', memory } } });
  const spec: MeshOperatorSpec = {
    ...(object.spec as MeshOperatorSpec),
    values: { global: { proxy: requests('40Mi') } },
    security: { mtls: { mode: 'STRICT' } },
    networkPolicy: {
      apiServer: { cidrs: [`${cluster.nodeAddress}/32`], ports: [6443] },
      dns: { ports: [dnsPodPort] },
      monitoring: { namespaces: [watchers] },
    },
    sidecarInjector: { k8s: { replicaCount: 1, ...requests('96Mi') } },
    components: {
      pilot: { k8s: { replicaCount: 1, ...requests('128Mi') } },
      ingressGateways: [{ name: gatewayName, k8s: { replicaCount: 1, ...requests('40Mi') } }],
    },
  };
  return { ...object, spec };
}

/** The Telemetry that a stock Envoy needs, in each root namespace. */
async function stockEnvoy(parties: readonly Party[]): Promise<object[]> {
  const [telemetry] = loadAll(await readManifest('test/cluster/stock-envoy.yaml')) as KubernetesObject[];
  return parties.map(({ namespace }) => ({ ...telemetry, metadata: { ...telemetry?.metadata, namespace } }));
}

function appsOf(party: Party): object[] {
  const [front] = party.members;
  const hosts = [hostOf(party)];
  const metadata = { name: 'front', namespace: front };
  const apiVersion = 'networking.istio.io/v1';
  const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts }];
  const destination = { host: `${front}.${front}.svc.cluster.local`, port: { number: 80 } };
  return [
    ...party.members.flatMap(anApp),
    { apiVersion, kind: 'Gateway', metadata, spec: { selector: { istio: 'ingressgateway' }, servers } },
    {
      ...{ apiVersion, kind: 'VirtualService', metadata },
      spec: { hosts, gateways: ['front'], http: [{ route: [{ destination }] }] },
    },
  ];
}

function anApp(name: string): object[] {
  const metadata = { name, namespace: name };
  const labels = { app: name };
  const container = {
    ...{ name: 'app', image, imagePullPolicy: 'IfNotPresent', args: ['serve', '-name', name] },
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 },
  };
  const template = {
    metadata: { labels },
    spec: { serviceAccountName: name, terminationGracePeriodSeconds: 1, containers: [container] },
  };
  const ports = [{ name: 'http', port: 80, targetPort: 'http' }];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports } },
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      spec: { selector: { matchLabels: labels }, template },
    },
  ];
}

function aWatcher(): object {
  const container = { name: 'app', image, imagePullPolicy: 'IfNotPresent', args: ['serve'] };
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'watcher', namespace: watchers } },
    spec: { terminationGracePeriodSeconds: 1, containers: [container] },
  };
}

function aNamespace(name: string, labels: Readonly<Record<string, string>> = {}): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function manifest(objects: readonly object[]): string {
  return objects.map((object) => dump(object)).join('---\n');
}
