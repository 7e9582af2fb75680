import { dump } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rotateRemotesAnnotation } from '../../../src/api/labels.ts';
import type { RemoteIdentity } from '../../../src/kube/remote-identity.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { askAppFrom, clientIdentity } from '../../support/app-requests.ts';
import { untilCallsSucceed } from '../../support/call-interval.ts';
import { callsWhile } from '../../support/calls-while.ts';
import { type JoinedCluster, JoinedMeshes, untilConnected } from '../../support/joined-meshes.ts';
import { answerTo, identityIn } from '../../support/remote-cluster.ts';
import { never } from '../../support/test-client.ts';

const client = { namespace: 'shop', workload: 'deployment/client' };
const callers = [{ ...client, container: 'caller' }];
const serverUrl = 'http://server.shop.svc.cluster.local/';

let both: JoinedMeshes;

beforeAll(async () => {
  both = await JoinedMeshes.install('examples/multi-cluster/multi-primary', 'separate');
  for (const { cluster, name } of both.all) {
    await cluster.kubectl('label', 'nodes', '--all', '--overwrite', `topology.kubernetes.io/region=${name}`);
    await cluster.apply(appsOf(name));
  }
  const { east, west } = both;
  await east.cluster.kubectl('rollout', 'status', 'deployment/client', '-n', 'shop', '--timeout=180s');
  await west.cluster.kubectl('scale', 'deployment/server', '-n', 'shop', '--replicas=1');
  await west.cluster.kubectl('rollout', 'status', 'deployment/server', '-n', 'shop', '--timeout=180s');
  await untilCallsSucceed(east.cluster, callers);
});

afterAll(() => both?.close());

test('a service is reached whose endpoints are in the other cluster, over mTLS through its gateway', async () => {
  const answer = await askAppFrom(both.east.cluster, client, serverUrl);
  expect(answer.name).toBe('server-west');
  expect(clientIdentity(answer)).toBe('spiffe://cluster.local/ns/shop/sa/client');
});

test('no request fails while the token is replaced again and again, and each one before is refused', async () => {
  const { east } = both;
  const before: RemoteIdentity[] = [];
  const outcome = await callsWhile(east.cluster, { callers, what: 'five tokens', further: 10 }, async () => {
    for (let round = 1; round <= 5; round += 1) {
      before.push(await identityOf(east));
      await replaceToken(east, `round-${round}`);
    }
  });
  expect(outcome.failures).toEqual({});
  expect(outcome.ok).toBeGreaterThan(20);
  expect(new Set(before.map(({ credential }) => JSON.stringify(credential))).size).toBe(5);
  for (const identity of before) expect(await answerOf(identity)).toBe('Unauthorized');
  expect(await answerOf(await identityOf(east))).toBe(true);
});

test('endpoints of the same region are used first, and the other cluster takes over when they go', async () => {
  const { east } = both;
  await east.cluster.kubectl('scale', 'deployment/server', '-n', 'shop', '--replicas=1');
  await east.cluster.kubectl('rollout', 'status', 'deployment/server', '-n', 'shop', '--timeout=180s');
  await untilAnsweredBy('server-east');
  const outcome = await callsWhile(east.cluster, { callers, what: 'failover', further: 20 }, async () => {
    await east.cluster.kubectl('scale', 'deployment/server', '-n', 'shop', '--replicas=0');
    await untilAnsweredBy('server-west');
  });
  expect(outcome.failures).toEqual({});
});

test('an API server that is down costs no request, and keeps no istiod from starting', async () => {
  const { east, west } = both;
  const outcome = await callsWhile(
    east.cluster,
    { callers, what: 'API server down', further: 20 },
    async () => {
      await west.cluster.stopServer('kube-apiserver');
      await east.mesh.untilStatus('the other cluster is unreachable', ({ remotes = [] }) => {
        return remotes[0]?.state === 'Unreachable';
      });
    },
  );
  expect(outcome.failures).toEqual({});
  const message = (await east.mesh.condition('RemotesReady'))?.message;
  expect(message).toMatch(/^Cluster west Cannot /);

  await east.cluster.kubectl('rollout', 'restart', 'deployment/istiod', '-n', 'istio-system');
  await east.cluster.kubectl(
    'rollout',
    'status',
    'deployment/istiod',
    '-n',
    'istio-system',
    '--timeout=120s',
  );
  await east.mesh.untilReason('ControlPlaneReady', 'Healthy');

  await west.cluster.startServer('kube-apiserver');
  await untilConnected(east.mesh);
  await untilCallsSucceed(east.cluster, callers);
});

async function identityOf({ admin }: JoinedCluster): Promise<RemoteIdentity> {
  const name = 'istio-remote-secret-west';
  const id = { apiVersion: 'v1', kind: 'Secret', namespace: 'istio-system', name };
  return identityIn(await admin.client.get(id, never), 'west');
}

function answerOf(identity: RemoteIdentity): Promise<boolean | string> {
  return answerTo(identity, (asked) => asked.mayI({ verb: 'list', group: '', resource: 'services' }, never));
}

/** Returns when istiod uses another token and the one before is refused. */
async function replaceToken({ admin, mesh }: JoinedCluster, request: string): Promise<void> {
  const { remotes = [] } = await mesh.status();
  const issuedAt = remotes[0]?.credential?.issuedAt;
  const merge = { metadata: { annotations: { [rotateRemotesAnnotation]: request } } };
  await admin.client.patch(mesh.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  await mesh.untilStatus('another token is in use', ({ remotes: [remote] = [] }) => {
    return remote?.reason === 'Connected' && remote.credential?.issuedAt !== issuedAt;
  });
}

async function untilAnsweredBy(name: string): Promise<void> {
  const what = `ten requests in a row are answered by ${name}`;
  await waitUntil({ what, limitMs: 60_000, intervalMs: 500 }, async () => {
    for (let count = 0; count < 10; count += 1) {
      if ((await askAppFrom(both.east.cluster, client, serverUrl)).name !== name) return false;
    }
    return true;
  });
}

/** The service is in both clusters, with a server that is not there yet; a client in the east alone. */
function appsOf(cluster: string): string {
  const image = 'meshoperator.dev/test-app:1';
  const container = (name: string, args: readonly string[]) => ({
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    args,
  });
  const deployment = (name: string, replicas: number, containers: readonly object[]) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { serviceAccountName: name, terminationGracePeriodSeconds: 20, containers },
      },
    },
  });
  const account = (name: string) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: 'shop' },
  });
  const server = {
    ...container('app', ['serve', '-name', `server-${cluster}`]),
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 },
    // Whoever has not heard yet that it goes is still answered.
    lifecycle: { preStop: { sleep: { seconds: 8 } } },
  };
  const caller = container('caller', [
    'call',
    '-url',
    serverUrl,
    '-rate',
    '5',
    '-timeout',
    '30s',
    '-counts-port',
    '8081',
  ]);
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } },
    },
    account('server'),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'server', namespace: 'shop' },
      spec: { selector: { app: 'server' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'server', namespace: 'shop' },
      spec: {
        host: 'server.shop.svc.cluster.local',
        trafficPolicy: {
          outlierDetection: { consecutive5xxErrors: 5, interval: '1s', baseEjectionTime: '5s' },
        },
      },
    },
    deployment('server', 0, [server]),
    ...(cluster === 'east'
      ? [account('client'), deployment('client', 1, [container('app', ['serve', '-name', 'client']), caller])]
      : []),
  ]
    .map((object) => dump(object))
    .join('---\n');
}
