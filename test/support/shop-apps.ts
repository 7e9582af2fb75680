import { dump } from 'js-yaml';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type AppContainer, askAppFrom } from './app-requests.ts';
import { untilCallsSucceed } from './call-interval.ts';
import { handshakeForEachRequest } from './handshake-for-each-request.ts';

/** The namespace of services and clients. */
export const shopNamespace = 'shop';

const namespace = shopNamespace;
const image = 'meshoperator.dev/test-app:1';

/** A service; with two names, each cluster has clients of what only the other one serves. */
export type ShopService = 'server' | 'other-server';

/** Where clients call the service `server`. */
export const shopUrl = `http://${hostOf('server')}/`;

/** The client of a cluster, which calls without end; each of its requests may take half a minute. */
export const shopCaller: AppContainer = { namespace, workload: 'deployment/client', container: 'caller' };

/** The proxies of the client of a cluster and of a service's servers there. */
export function shopProxies(service: ShopService): AppContainer[] {
  return ['client', service].map((app) => ({
    ...{ namespace, workload: `deployment/${app}`, container: 'istio-proxy' },
  }));
}

/** One of the two clusters that the apps go to. */
interface ShopCluster {
  readonly name: string;
  readonly cluster: Cluster;
}

/**
 * Makes a service that is in both clusters, and a client of it in one. Its one server is in the other, or where both are the
 * same cluster there as well; servers answer with their names, `server-east` and `server-west`. Endpoints of the client's
 * region come first. Returns when no call fails.
 */
export async function installShop(
  clients: ShopCluster,
  servers: ShopCluster,
  service: ShopService = 'server',
): Promise<void> {
  await clients.cluster.apply(`${serviceIn(clients.name, service)}---\n${clientOf(service)}`);
  await servers.cluster.apply(serviceIn(servers.name, service));
  await scaleServers(servers.cluster, 1, service);
  await untilAvailable(clients.cluster, 'client');
  await untilCallsSucceed(clients.cluster, [shopCaller]);
}

/** Has each request to the service make a connection of its own, whose handshake verifies the certificates of both sides. */
export async function connectForEachRequest(
  cluster: Cluster,
  service: ShopService = 'server',
): Promise<void> {
  await cluster.apply(
    manifestOf(handshakeForEachRequest({ name: service, namespace, host: hostOf(service) })),
  );
}

function serviceIn(cluster: string, service: ShopService): string {
  return manifestOf([
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { 'istio-injection': 'enabled' } },
    },
    account(service),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service, namespace },
      spec: { selector: { app: service }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: service, namespace },
      spec: {
        host: hostOf(service),
        trafficPolicy: {
          outlierDetection: { consecutive5xxErrors: 5, interval: '1s', baseEjectionTime: '5s' },
        },
      },
    },
    deployment(service, 0, [
      {
        ...container('app', ['serve', '-name', `${service}-${cluster}`]),
        ports: [{ name: 'http', containerPort: 8080 }],
        // Ready once is enough: a busy machine answers a probe too late, and nobody would call the server any more.
        startupProbe: {
          httpGet: { path: '/healthz', port: 'http' },
          periodSeconds: 1,
          failureThreshold: 120,
        },
        // Whoever has not heard yet that it goes is still answered.
        lifecycle: { preStop: { sleep: { seconds: 8 } } },
      },
    ]),
  ]);
}

function clientOf(service: ShopService): string {
  const url = `http://${hostOf(service)}/`;
  const flags = ['-url', url, '-rate', '5', '-timeout', '30s', '-counts-port', '8081'];
  return manifestOf([
    account('client'),
    deployment('client', 1, [
      container('app', ['serve', '-name', 'client']),
      container('caller', ['call', ...flags]),
    ]),
  ]);
}

/** Returns when the service has so many ready servers in this cluster. */
export async function scaleServers(
  cluster: Cluster,
  replicas: number,
  service: ShopService = 'server',
): Promise<void> {
  await cluster.kubectl('scale', `deployment/${service}`, '-n', namespace, `--replicas=${replicas}`);
  await untilAvailable(cluster, service);
}

/** Replaces the servers of `server` in this cluster by new ones. */
export async function restartServers(cluster: Cluster): Promise<void> {
  await cluster.kubectl('rollout', 'restart', 'deployment/server', '-n', namespace);
  await untilAvailable(cluster, 'server');
}

/** Waits until ten requests of the client in a row are answered by servers of these names and no others. */
export async function untilAnsweredBy(cluster: Cluster, ...names: readonly string[]): Promise<void> {
  const what = `ten requests are answered by ${names.join(' and ')}`;
  await waitUntil({ what, intervalMs: 500 }, async () => {
    const seen = new Set<string>();
    for (let count = 0; count < 10; count += 1) {
      seen.add((await askAppFrom(cluster, shopCaller, shopUrl)).name);
    }
    return seen.size === names.length && names.every((name) => seen.has(name));
  });
}

async function untilAvailable(cluster: Cluster, name: string): Promise<void> {
  await cluster.kubectl('rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=240s');
}

function container(name: string, args: readonly string[]) {
  return { name, image, imagePullPolicy: 'IfNotPresent', args };
}

function account(name: string) {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
}

function deployment(name: string, replicas: number, containers: readonly object[]) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { serviceAccountName: name, terminationGracePeriodSeconds: 20, containers },
      },
    },
  };
}

function hostOf(service: ShopService): string {
  return `${service}.${namespace}.svc.cluster.local`;
}

function manifestOf(objects: readonly object[]): string {
  return objects.map((object) => dump(object)).join('---\n');
}
