import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../cluster/cluster.ts';
import { ensureImage } from '../cluster/images/ensure-image.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { sharedCluster } from '../support/shared-cluster.ts';

/** How one request from a pod ended: `ok`, or the kind of failure. */
type Outcome = string;

const namespaces = ['np-a', 'np-b', 'np-probe', 'np-new', 'lb', 'lb-asks'];

let cluster: Cluster;
let image: string;

beforeAll(async () => {
  const testApp = await ensureImage('test-app');
  image = testApp.reference;
  cluster = await sharedCluster('kubelet');
  await cluster.importImage(testApp);
});

afterAll(() => cluster.kubectl('delete', 'namespaces', ...namespaces, '--ignore-not-found', '--wait=false'));

describe('NetworkPolicies of a local cluster', () => {
  it('drop and pass real packets between pods, by pod, namespace, port and direction', async () => {
    await cluster.apply(`${aNamespace('np-a')}---\n${aNamespace('np-b')}`);
    await cluster.apply([aPod('np-a', 'web'), aPod('np-a', 'db'), aPod('np-b', 'web')].join('---\n'));
    await podsReady('np-a');
    await podsReady('np-b');
    const db = await addressOf('np-a', 'db');
    const web = await addressOf('np-a', 'web');
    const http = `http://${db}:8080/`;
    const tcp = `tcp://${db}:9000`;

    await settles('np-a/web', http, 'ok');
    await settles('np-b/web', http, 'ok');

    await cluster.apply(aPolicy('np-a', 'closed', { podSelector: app('db'), policyTypes: ['Ingress'] }));
    await settles('np-a/web', http, 'timeout');
    await settles('np-b/web', tcp, 'timeout');
    await settles('np-a/db', `http://${web}:8080/`, 'ok');

    await cluster.apply(
      aPolicy('np-a', 'from-web', {
        podSelector: app('db'),
        ingress: [{ from: [{ podSelector: app('web') }], ports: [{ port: 'http' }] }],
      }),
    );
    await settles('np-a/web', http, 'ok');
    expect(await request('np-a/web', tcp)).toBe('timeout');
    expect(await request('np-b/web', http)).toBe('timeout');

    await cluster.apply(
      aPolicy('np-a', 'from-b', {
        podSelector: app('db'),
        ingress: [
          {
            from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'np-b' } } }],
            ports: [{ port: 9000, endPort: 9005 }],
          },
        ],
      }),
    );
    await settles('np-b/web', tcp, 'ok');
    expect(await request('np-b/web', http)).toBe('timeout');

    await cluster.apply(
      aPolicy('np-a', 'web-out', {
        podSelector: app('web'),
        policyTypes: ['Egress'],
        egress: [{ to: [{ ipBlock: { cidr: cluster.podCidr, except: [`${db}/32`] } }] }],
      }),
    );
    await settles('np-a/web', http, 'timeout');
    expect(await request('np-a/web', `http://${await addressOf('np-b', 'web')}:8080/`)).toBe('ok');
    expect(await request('np-a/web', `https://${cluster.nodeAddress}:6443/healthz`)).toBe('timeout');

    await cluster.kubectl('delete', 'networkpolicies', '--all', '--namespace', 'np-a');
    await settles('np-a/web', http, 'ok');
    await settles('np-b/web', tcp, 'ok');
  });

  it('leave kubelet its probes and a pod itself', async () => {
    await cluster.apply(aNamespace('np-probe'));
    await cluster.apply(
      aPolicy('np-probe', 'closed', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
    );

    await cluster.apply(aPod('np-probe', 'alone'));

    await podsReady('np-probe');
    const own = await addressOf('np-probe', 'alone');
    expect(await request('np-probe/alone', `http://${own}:8080/`)).toBe('ok');
    await settles('np-probe/alone', `https://${cluster.nodeAddress}:6443/healthz`, 'timeout');
  });

  it('isolate a new pod before its first container runs', async () => {
    await cluster.apply(`${aNamespace('np-new')}---\n${aPod('np-new', 'web')}`);
    await podsReady('np-new');
    const url = `http://${await addressOf('np-new', 'web')}:8080/`;
    await settles('np-new/web', url, 'ok');
    await cluster.apply(aPolicy('np-new', 'jail', { podSelector: app('jailed'), policyTypes: ['Egress'] }));
    await policyInForce('np-new');

    for (let round = 1; round <= 3; round += 1) {
      const name = `jailed-${round}`;
      await cluster.apply(aCaller('np-new', name, 'jailed', url));
      await cluster.kubectl('wait', 'pod', name, '-n', 'np-new', '--for=jsonpath={.status.phase}=Succeeded');
      expect(await callsOf('np-new', name)).toMatchObject({
        ok: 0,
        failedBy: { timeout: expect.any(Number) },
      });
    }
    await cluster.apply(aCaller('np-new', 'free', 'free', url));
    await cluster.kubectl('wait', 'pod', 'free', '-n', 'np-new', '--for=jsonpath={.status.phase}=Succeeded');
    expect(await callsOf('np-new', 'free')).toMatchObject({ failed: 0 });
  });

  it('change no rule of the host', async () => {
    const tables = await cluster.execInNode(['nft', 'list', 'tables']);

    expect(tables).toContain('table ip network-policy');
    expect(await hostTables()).not.toContain('network-policy');
  });
});

describe('Services of type LoadBalancer', () => {
  it('get an address at which this machine and pods reach them, and give it back when deleted', async () => {
    await cluster.apply(`${aNamespace('lb')}---\n${aPod('lb', 'web')}---\n${aBalancer('lb', 'first')}`);
    await podsReady('lb');
    const first = await balancerAddress('lb', 'first');

    expect(inRange(first)).toBe(true);
    await waitUntil({ what: 'the address answers this machine' }, async () => {
      const answer = await fetch(`http://${first}/`, { signal: AbortSignal.timeout(1_000) });
      return ((await answer.json()) as { name: string }).name === 'web';
    });
    await settles('lb/web', `http://${first}/`, 'ok');

    await cluster.apply(aBalancer('lb', 'heir', { loadBalancerIP: first }));
    await cluster.apply(aBalancer('lb', 'other'));
    expect(await balancerAddress('lb', 'other')).not.toBe(first);
    expect(await statusOf('lb', 'heir')).toEqual({ loadBalancer: {} });
    await cluster.kubectl('delete', 'service', 'first', '--namespace', 'lb');
    expect(await balancerAddress('lb', 'heir')).toBe(first);
  });

  it('keep their address when the giver is killed, and get the one they ask for', async () => {
    await cluster.apply(`${aNamespace('lb-asks')}---\n${aBalancer('lb-asks', 'plain')}`);
    const plain = await balancerAddress('lb-asks', 'plain');
    const wanted = cluster.loadBalancerCidr.replace('.0/24', '.77');

    await cluster.kill('load-balancer');
    await cluster.apply(aBalancer('lb-asks', 'asks', { loadBalancerIP: wanted }));

    expect(await balancerAddress('lb-asks', 'asks')).toBe(wanted);
    expect(await balancerAddress('lb-asks', 'plain')).toBe(plain);
  });
});

/** Waits until a request ends so; a policy takes effect some moments after it was applied. */
async function settles(pod: string, url: string, wanted: Outcome): Promise<void> {
  let last = '';
  const explain = async () => `the last one ended: ${last}`;
  await waitUntil({ what: `a request from ${pod} to ${url} ends: ${wanted}`, explain }, async () => {
    last = await request(pod, url);
    return last === wanted;
  });
}

/** One request from inside a pod, by the test app itself. */
async function request(pod: string, url: string): Promise<Outcome> {
  const [namespace = '', name = ''] = pod.split('/');
  const call = ['/test-app', 'call', '-count', '1', '-timeout', '1s', '-allow-failures', '-url', url];
  const report = JSON.parse(await cluster.kubectl('exec', '--namespace', namespace, name, '--', ...call)) as {
    total: { ok: number; failedBy: Record<string, number> };
  };
  return report.total.ok === 1 ? 'ok' : Object.keys(report.total.failedBy).join();
}

/** The counts of a caller that has ended. */
async function callsOf(namespace: string, pod: string): Promise<unknown> {
  const log = await cluster.kubectl('logs', pod, '--namespace', namespace);
  return (JSON.parse(log) as { total: unknown }).total;
}

/** Waits until the enforcer has seen all policies of now: it handles changes in order. */
async function policyInForce(namespace: string): Promise<void> {
  await cluster.apply(aPolicy(namespace, 'marker', { podSelector: app('web'), policyTypes: ['Egress'] }));
  await settles(`${namespace}/web`, `https://${cluster.nodeAddress}:6443/healthz`, 'timeout');
}

async function podsReady(namespace: string): Promise<void> {
  await cluster.kubectl('wait', 'pods', '--all', '--for=condition=Ready', '--timeout=240s', '-n', namespace);
}

async function addressOf(namespace: string, pod: string): Promise<string> {
  return cluster.kubectl('get', 'pod', pod, '--namespace', namespace, '-o', 'jsonpath={.status.podIP}');
}

async function balancerAddress(namespace: string, service: string): Promise<string> {
  const path = 'jsonpath={.status.loadBalancer.ingress[*].ip}';
  return waitUntil({ what: `Service ${namespace}/${service} has an address` }, async () => {
    const address = await cluster.kubectl('get', 'service', service, '--namespace', namespace, '-o', path);
    return address === '' ? undefined : address;
  });
}

async function statusOf(namespace: string, service: string): Promise<unknown> {
  const text = await cluster.kubectl('get', 'service', service, '--namespace', namespace, '-o', 'json');
  return (JSON.parse(text) as { status: unknown }).status;
}

function inRange(address: string): boolean {
  return address.startsWith(cluster.loadBalancerCidr.replace('0/24', ''));
}

async function hostTables(): Promise<string> {
  return run('nft', ['list', 'tables']);
}

function app(name: string) {
  return { matchLabels: { app: name } };
}

function aNamespace(name: string): string {
  return `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}}}\n`;
}

function aPod(namespace: string, name: string): string {
  return `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}, labels: {app: ${name}}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: app
      image: ${image}
      args: [serve, -name, ${name}, -tcp-port, "9000"]
      ports: [{name: http, containerPort: 8080}, {name: tcp, containerPort: 9000}]
      readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
`;
}

/** A pod that calls from its very first moment, for half a second, and ends. */
function aCaller(namespace: string, name: string, label: string, url: string): string {
  const args = [
    'call',
    '-url',
    url,
    '-rate',
    '100',
    '-duration',
    '500ms',
    '-timeout',
    '500ms',
    '-allow-failures',
  ];
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: label } },
    spec: { restartPolicy: 'Never', containers: [{ name: 'caller', image, args }] },
  });
}

function aBalancer(namespace: string, name: string, spec: Record<string, unknown> = {}): string {
  return `${JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: {
      type: 'LoadBalancer',
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 8080 }],
      ...spec,
    },
  })}\n`;
}

function aPolicy(namespace: string, name: string, spec: Record<string, unknown>): string {
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec,
  });
}
