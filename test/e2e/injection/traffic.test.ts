import { dump } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Cluster } from '../../cluster/cluster.ts';
import { readManifest } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import {
  type AppAnswer,
  type AppContainer,
  askAppFrom,
  askFrom,
  clientIdentity,
  outcomeFrom,
  reachedFrom,
} from '../../support/app-requests.ts';
import { askGateway } from '../../support/gateway-request.ts';
import { listenOutside, type OutsideHttpServer } from '../../support/outside-http-server.ts';
import { installRealMesh, type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';

const namespace = 'traffic';
const watchers = 'traffic-watchers';
const image = 'meshoperator.dev/test-app:1';
const server: AppContainer = { namespace, workload: 'deployment/server' };
const bare: AppContainer = { namespace, workload: 'bare' };
const proxyContainer = 'istio-proxy';

interface Order {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly initContainers: readonly string[];
  readonly containers: readonly string[];
}

const orders: readonly Order[] = [
  {
    name: 'native',
    annotations: {},
    initContainers: ['istio-init', proxyContainer],
    containers: ['caller', 'app'],
  },
  {
    name: 'classic',
    annotations: {
      'sidecar.istio.io/nativeSidecar': 'false',
      'proxy.istio.io/config': 'holdApplicationUntilProxyStarts: true',
    },
    initContainers: ['istio-init'],
    containers: [proxyContainer, 'caller', 'app'],
  },
];

let real: RealMesh;
let cluster: Cluster;

beforeAll(async () => {
  const node = (await sharedCluster('kubelet')).nodeAddress;
  real = await installRealMesh('test/e2e/injection/mesh.yaml', {
    networkPolicy: {
      apiServer: { cidrs: [`${node}/32`], ports: [6443] },
      monitoring: { namespaces: [watchers] },
    },
  });
  cluster = real.cluster;
  await startAgain('istiod', 'sidecar-injector', 'istio-ingressgateway');
  await cluster.apply(await readManifest('test/e2e/injection/apps.yaml'));
  await cluster.kubectl('rollout', 'status', '-n', namespace, 'deployment/server', '--timeout=240s');
  await cluster.apply(orders.map(aClient).join('---\n'));
  const rollouts = orders.map(({ name }) => `deployment/${name}`);
  for (const rollout of rollouts) {
    await cluster.kubectl('rollout', 'status', '-n', namespace, rollout, '--timeout=240s');
  }
});

afterAll(async () => {
  if (real !== undefined) await removeRealMesh(real, namespace, watchers);
});

describe.each(orders)('an app whose sidecar comes in the $name order, under STRICT mTLS', (order) => {
  const app: AppContainer = { namespace, workload: `deployment/${order.name}` };

  test('has the containers of that order', async () => {
    const { spec } = await podOf(order.name);

    expect(spec.initContainers?.map(({ name }) => name)).toEqual(order.initContainers);
    expect(spec.containers.map(({ name }) => name)).toEqual(order.containers);
  });

  test('calls another by name, each knowing the other by its certificate', async () => {
    const answer = await askAppFrom(cluster, app, 'http://server/');

    expect(answer.name).toBe('server');
    expect(clientIdentity(answer)).toBe(identityOf(order.name));
    expect(answer.headers['X-Forwarded-Client-Cert']?.join()).toContain(`By=${identityOf('server')}`);
  });

  test('is called by another', async () => {
    const answer = await askAppFrom(cluster, server, `http://${order.name}/`);

    expect(answer.name).toBe(order.name);
    expect(clientIdentity(answer)).toBe(identityOf('server'));
  });

  test('loses no request, not even its first ones', async () => {
    const counts = await waitUntil({ what: 'it has called often' }, async () => {
      const text = await askFrom(cluster, { ...app, container: 'caller' }, 'http://127.0.0.1:8081/counts');
      const { total, targets } = JSON.parse(text) as Calls;
      return total.sent >= 40 ? { total, targets } : undefined;
    });

    expect(counts.total.failedBy).toEqual({});
    expect(Object.values(counts.targets).every(({ ok }) => ok > 0)).toBe(true);
    expect(restartsOf(await podOf(order.name))).toBe(0);
  });

  test('calls what is outside the cluster through its sidecar, in plain text', async () => {
    const outside = await listenOutsideForTest();
    await cluster.apply(aServiceEntry(`outside-${order.name}`, outside));

    const seen = await waitUntil({ what: 'its sidecar knows the ServiceEntry' }, async () => {
      await askFrom(cluster, app, outside.url);
      const headers = outside.seen.at(-1);
      return headers?.['x-request-id'] === undefined ? undefined : headers;
    });

    expect(seen['x-forwarded-client-cert']).toBeUndefined();
  });
});

describe('an injected pod, under STRICT mTLS', () => {
  test('is probed through its sidecar over HTTP, TCP and gRPC, and by commands', async () => {
    const pod = await podOf('server');

    const probes = pod.spec.containers.flatMap(({ name, startupProbe, readinessProbe, livenessProbe }) =>
      [startupProbe, readinessProbe, livenessProbe].flatMap((probe) => (probe ? [{ name, ...probe }] : [])),
    );

    expect(probes.map(({ name, httpGet, exec }) => `${name} ${httpGet?.path ?? exec?.command[1]}`)).toEqual([
      'app /app-health/app/startupz',
      'app /app-health/app/readyz',
      'app /app-health/app/livez',
      'helper ask',
    ]);
    expect(restartsOf(pod)).toBe(0);
    expect(isReady(pod)).toBe(true);
  });

  test('does not become ready when its probes are not rewritten', async () => {
    await waitUntil({ what: 'kubelet is refused' }, async () => {
      const events = await cluster.kubectl(
        ...['get', 'events', '-n', namespace, '--field-selector', 'involvedObject.name=own-probes'],
      );
      return events.includes('Unhealthy') && events.includes('connection reset by peer');
    });

    expect(isReady(await podNamed('own-probes'))).toBe(false);
  });

  test('is reached through the ingress gateway', async () => {
    const address = (await real.mesh.status()).gateways?.[0]?.addresses[0] ?? '';

    const answer = await waitUntil(
      { what: 'the app answers through the gateway', intervalMs: 200 },
      async () => {
        const { status, body } = await askGateway(address, 'server.example.com');
        return status === 200 ? (JSON.parse(body) as AppAnswer) : undefined;
      },
    );

    expect(answer.name).toBe('server');
    expect(clientIdentity(answer)).toMatch(
      /^spiffe:\/\/cluster\.local\/ns\/istio-system\/sa\/istio-ingressgateway/,
    );
  });

  test('reaches a pod without a sidecar in plain text', async () => {
    const answer = await askAppFrom(cluster, server, 'http://bare/');

    expect(answer.name).toBe('bare');
    expect(clientIdentity(answer)).toBeUndefined();
  });
});

describe('a pod that has opted out, in a namespace under STRICT mTLS', () => {
  test('is bare', async () => {
    const { spec, metadata } = await podNamed('bare');

    expect(spec.containers).toHaveLength(1);
    expect(spec.initContainers).toBeUndefined();
    expect(metadata.annotations?.['sidecar.istio.io/status']).toBeUndefined();
  });

  test('is refused by those that have not', async () => {
    expect(await outcomeFrom(cluster, bare, 'http://bare.traffic/')).toBe('ok');
    expect(await outcomeFrom(cluster, bare, 'http://server/')).toMatch(/^(reset|closed)$/);
    expect(await outcomeFrom(cluster, bare, 'tcp://server:9000')).toMatch(/^(reset|closed)$/);
  });

  test('calls what is outside the cluster itself', async () => {
    const outside = await listenOutsideForTest();

    await askFrom(cluster, bare, outside.url);

    expect(outside.seen.map((headers) => headers['x-request-id'])).toEqual([undefined]);
  });
});

describe('a Job with a native sidecar', () => {
  test('completes when its own container has', async () => {
    await cluster.apply(aJob('once'));

    await cluster.kubectl('wait', 'job/once', '-n', namespace, '--for=condition=Complete', '--timeout=240s');

    const pod = await podOf('once');
    expect(pod.status.phase).toBe('Succeeded');
    expect(pod.spec.initContainers?.map(({ name }) => name)).toContain(proxyContainer);
  });
});

describe('the pods of the mesh itself, under its NetworkPolicies', () => {
  const ports = [80, 443, 8080, 8081, 15000, 15010, 15012, 15014, 15017, 15020, 15021, 15090];

  test('are reached by other pods where the table of flows says so, and nowhere else', async () => {
    expect(await portsReachedFrom(bare)).toEqual({
      istiod: [15012],
      'sidecar-injector': [],
      'istio-ingressgateway': [80, 443, 15021],
    });
  });

  test('are reached for metrics by those who may read them', async () => {
    await cluster.apply(aWatcher());
    await cluster.kubectl('wait', 'pod/watcher', '-n', watchers, '--for=condition=Ready', '--timeout=240s');

    expect(await portsReachedFrom({ namespace: watchers, workload: 'watcher' })).toEqual({
      istiod: [15012, 15014],
      'sidecar-injector': [8080],
      'istio-ingressgateway': [80, 443, 15020, 15021, 15090],
    });
  });

  async function portsReachedFrom(from: AppContainer): Promise<Record<string, number[]>> {
    const apps = ['istiod', 'sidecar-injector', 'istio-ingressgateway'];
    const urls = new Map<string, { readonly app: string; readonly port: number }>();
    for (const app of apps) {
      const address = await addressOf(app);
      for (const port of ports) urls.set(`http://${address}:${port}/`, { app, port });
    }
    const reached = await reachedFrom(cluster, from, [...urls.keys()]);
    return Object.fromEntries(
      apps.map((app) => [
        app,
        [...urls].flatMap(([url, at]) => (at.app === app && reached.has(url) ? [at.port] : [])),
      ]),
    );
  }
});

/** So that they come up under the policies, which the first time came after them. */
async function startAgain(...deployments: readonly string[]): Promise<void> {
  await cluster.kubectl('delete', 'pods', '-n', 'istio-system', '--all');
  for (const name of deployments) {
    const rollout = ['rollout', 'status', '-n', 'istio-system', `deployment/${name}`, '--timeout=240s'];
    await cluster.kubectl(...rollout);
  }
}

async function addressOf(app: string): Promise<string> {
  const query = ['get', 'pods', '-n', 'istio-system', '-l', `app=${app}`];
  return cluster.kubectl(...query, '-o', 'jsonpath={.items[0].status.podIP}');
}

function aWatcher(): string {
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: watchers } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'watcher', namespace: watchers },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [aContainer('app', ['serve', '-name', 'watcher'])],
      },
    },
  ];
  return objects.map((object) => dump(object)).join('---\n');
}

interface Calls {
  readonly total: { readonly sent: number; readonly failedBy: Readonly<Record<string, number>> };
  readonly targets: Readonly<Record<string, { readonly ok: number }>>;
}

interface Probe {
  readonly httpGet?: { readonly path: string };
  readonly exec?: { readonly command: readonly string[] };
}

interface Container {
  readonly name: string;
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}

interface Pod {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

async function podNamed(name: string): Promise<Pod> {
  return JSON.parse(await cluster.kubectl('get', 'pod', name, '-n', namespace, '-o', 'json')) as Pod;
}

/** The one pod of an app. */
async function podOf(app: string): Promise<Pod> {
  const text = await cluster.kubectl('get', 'pods', '-n', namespace, '-l', `app=${app}`, '-o', 'json');
  const { items } = JSON.parse(text) as { items: readonly Pod[] };
  expect(items).toHaveLength(1);
  return items[0] as Pod;
}

function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

function restartsOf({ status }: Pod): number {
  return (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}

function identityOf(account: string): string {
  return `spiffe://cluster.local/ns/${namespace}/sa/${account}`;
}

/** Until the test ends. */
async function listenOutsideForTest(): Promise<OutsideHttpServer> {
  const outside = await listenOutside(cluster);
  onTestFinished(outside.close);
  return outside;
}

function aServiceEntry(name: string, { address, port }: OutsideHttpServer): string {
  return dump({
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name, namespace },
    spec: {
      hosts: [`${name}.example.com`],
      addresses: [address],
      ports: [{ number: port, name: 'http', protocol: 'HTTP' }],
      resolution: 'STATIC',
      location: 'MESH_EXTERNAL',
      endpoints: [{ address }],
    },
  });
}

/** An app that serves, and calls the server from its very first moment. */
function aClient({ name, annotations }: Order): string {
  const meta = { name, namespace };
  const labels = { app: name };
  const containers = [
    aContainer('caller', [
      ...['call', '-url', 'http://server/', '-url', 'tcp://server:9000'],
      ...['-rate', '10', '-counts-port', '8081'],
    ]),
    {
      ...aContainer('app', ['serve', '-name', name]),
      ports: [{ name: 'http', containerPort: 8080 }],
      readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 },
    },
  ];
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta,
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta,
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels, annotations },
          spec: { serviceAccountName: name, terminationGracePeriodSeconds: 1, containers },
        },
      },
    },
  ];
  return objects.map((object) => dump(object)).join('---\n');
}

function aJob(name: string): string {
  const containers = [aContainer('caller', ['call', '-url', 'http://server/', '-count', '3'])];
  return dump({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec: {
      backoffLimit: 0,
      template: { metadata: { labels: { app: name } }, spec: { restartPolicy: 'Never', containers } },
    },
  });
}

function aContainer(name: string, args: readonly string[]) {
  return { name, image, imagePullPolicy: 'IfNotPresent', args };
}
