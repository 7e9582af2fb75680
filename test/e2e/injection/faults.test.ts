import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { signal } from '../../cluster/process-identity.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { processesInPods } from '../../support/node-processes.ts';
import { isInjected, PodLoad, unschedulablePodSpec } from '../../support/pod-load.ts';
import { installRealMesh, type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { never } from '../../support/test-client.ts';

const namespace = 'faults';
const controlPlane = 'istio-system';
const injectorPods = ['-n', controlPlane, '-l', 'app=sidecar-injector'];
const injectorProcess = ['/app/mesh-operator.js', 'injector'];
const webhooks = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  name: 'istio-sidecar-injector-istio-system',
};
const serving = { apiVersion: 'v1', kind: 'Secret', namespace: controlPlane, name: 'sidecar-injector-tls' };

let real: RealMesh;
let cluster: Cluster;

beforeAll(async () => {
  real = await installRealMesh('test/e2e/injection/mesh.yaml');
  cluster = real.cluster;
  const labels = { 'istio-injection': 'enabled' };
  await cluster.apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }),
  );
  await waitUntil({ what: 'pods can be created' }, () =>
    cluster.kubectl('get', 'serviceaccount', 'default', '-n', namespace),
  );
});

afterAll(async () => {
  if (real !== undefined) await removeRealMesh(real, namespace);
});

describe('the injector', () => {
  test('loses all replicas while 100 pods are created, and in the end none is bare', async () => {
    await cluster.kubectl('cordon', 'node1');
    onTestFinished(async () => {
      await cluster.kubectl('uncordon', 'node1');
    });
    await cluster.kubectl('delete', 'pods', ...injectorPods);

    await deploy('lost', 100);

    await untilPolicy('Ignore');
    await untilPods('lost', 100, (pod) => !isInjected(pod));
    await untilBare((count) => count === 100);
    await cluster.kubectl('uncordon', 'node1');
    await untilHealthy();
    await untilPods('lost', 100, isInjected);
    await untilBare((count) => count === 0);
  });

  test('loses all replicas again and again while 100 pods are created', async () => {
    await deploy('flapping', 100);

    for (let round = 0; round < 6; round += 1) {
      await cluster.kubectl('delete', 'pods', ...injectorPods, '--force', '--grace-period=0');
      await waitUntil({ what: 'a replica is ready again' }, async () => {
        const ready = await readyReplicas();
        return ready === '1' || ready === '2';
      });
    }

    await untilHealthy();
    await untilPods('flapping', 100, isInjected);
    await untilBare((count) => count === 0);
  });

  test('refuses no pod while its serving certificate is made anew every 5 s', async () => {
    const load = new PodLoad(real.admin.client, namespace, 4);
    const seen = new Set([await certificateInUse()]);
    // However long a busy machine takes for so many.
    while (load.report.injected <= 500 || seen.size <= 6) {
      const pause = new Promise((resolve) => setTimeout(resolve, 5_000)); // the subject: one every 5 s
      await real.admin.client.delete(serving, {}, never);
      const next = await waitUntil({ what: 'a new certificate is in use' }, async () => {
        const found = await certificateInUse();
        return seen.has(found) ? undefined : found;
      });
      seen.add(next);
      await pause;
    }
    const { injected, ...others } = await load.stop();

    expect(others).toEqual({ bare: 0, refused: [] });
    expect(injected).toBeGreaterThan(500);
    expect(seen.size).toBeGreaterThan(6);
    await untilHealthy();
  });

  test('answers after seconds, and no pod is refused or bare', async () => {
    const processes = processesInPods(cluster, ...injectorProcess);
    expect(processes).toHaveLength(2);
    onTestFinished(() => {
      for (const pid of processes) signal(pid, 'SIGCONT');
    });
    const load = new PodLoad(real.admin.client, namespace, 4);

    for (let round = 0; round < 6; round += 1) {
      for (const pid of processes) signal(pid, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 1_500)); // the subject: an answer that takes so long
      for (const pid of processes) signal(pid, 'SIGCONT');
      await load.next();
    }
    const { injected, ...others } = await load.stop();

    expect(others).toEqual({ bare: 0, refused: [] });
    expect(injected).toBeGreaterThan(6);
    await untilHealthy();
  });

  test.each([1, 2])(
    'does not answer at all, %i of its 2 replicas, while 20 pods are created',
    async (count) => {
      await untilHealthy();
      const stopped = processesInPods(cluster, ...injectorProcess).slice(0, count);
      expect(stopped).toHaveLength(count);
      for (const pid of stopped) signal(pid, 'SIGSTOP');

      await deploy(`slow-${count}`, 20);

      await untilPods(`slow-${count}`, 20, isInjected);
      await waitUntil({ what: 'kubelet has replaced those that hang' }, async () =>
        processesInPods(cluster, ...injectorProcess).every((pid) => !stopped.includes(pid)),
      );
      await untilHealthy();
      await untilPods(`slow-${count}`, 20, isInjected);
    },
  );

  test('outlives API servers that are killed while pods are created', async () => {
    await deploy('killed', 60);

    for (let round = 0; round < 3; round += 1) await cluster.kill('kube-apiserver');

    await untilHealthy();
    await untilPods('killed', 60, isInjected);
  });
});

/** Creates a Deployment of pods that no node takes; it goes when the test ends. */
async function deploy(name: string, replicas: number): Promise<void> {
  onTestFinished(async () => {
    await cluster.kubectl('delete', 'deployment', name, '-n', namespace);
  });
  const labels = { app: name };
  const template = { metadata: { labels }, spec: unschedulablePodSpec };
  await cluster.apply(
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: { replicas, selector: { matchLabels: labels }, template },
    }),
  );
}

/** Waits until an app has exactly so many pods, not counting those that are being deleted, each of them as asked. */
async function untilPods(app: string, count: number, isRight: (pod: KubernetesObject) => boolean) {
  let state = '';
  const explain = async () => state;
  await waitUntil(
    { what: `${app} has ${count} pods as they should be`, intervalMs: 500, explain },
    async () => {
      const options = { namespace, labelSelector: `app=${app}` };
      const { items } = await real.admin.client.list(kindInfo('v1', 'Pod'), options, never);
      const pods = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      const right = pods.filter(isRight);
      state = `${pods.length} pods, ${right.length} as they should be`;
      return pods.length === count && right.length === count;
    },
  );
}

/** How many replicas of the injector are ready, as the Deployment says: empty for none. */
function readyReplicas(): Promise<string> {
  const path = 'jsonpath={.status.readyReplicas}';
  return cluster.kubectl('get', 'deployment', 'sidecar-injector', '-n', controlPlane, '-o', path);
}

/** Waits until the status counts so many pods without the sidecar that they should have. */
async function untilBare(isRight: (count: number) => boolean): Promise<void> {
  await real.mesh.untilStatus('counts its bare pods', ({ dataPlane }) => isRight(dataPlane?.barePods ?? 0));
}

/** Waits until the mesh is Ready, the API server reaches both replicas of the injector, and the policy is strict. */
async function untilHealthy(): Promise<void> {
  const explain = async () => JSON.stringify(await real.mesh.status());
  await waitUntil({ what: 'the mesh is healthy', intervalMs: 500, explain }, async () => {
    const reached = await real.mesh.condition('InjectorReady');
    const ready = await readyReplicas();
    const { state } = await real.mesh.status();
    return state === 'Ready' && reached?.status === 'True' && ready === '2' && (await hasPolicy('Fail'));
  });
}

async function untilPolicy(policy: 'Fail' | 'Ignore'): Promise<void> {
  const explain = async () => JSON.stringify(await real.mesh.status());
  await waitUntil({ what: `the failure policy is ${policy}`, explain }, () => hasPolicy(policy));
}

/** True when that is the failure policy of every entry but the self-test's. */
async function hasPolicy(policy: 'Fail' | 'Ignore'): Promise<boolean> {
  const { webhooks: entries } = (await real.admin.client.get(webhooks, never)) as unknown as {
    webhooks: readonly { readonly name: string; readonly failurePolicy: string }[];
  };
  return entries
    .filter(({ name }) => !name.startsWith('self-test.'))
    .every(({ failurePolicy }) => failurePolicy === policy);
}

/** Fingerprint of the certificate that all replicas of the injector serve; throws while they differ. */
async function certificateInUse(): Promise<string> {
  const path = 'jsonpath={.items[*].status.podIP}';
  const addresses = await cluster.kubectl('get', 'pods', ...injectorPods, '-o', path);
  const served = new Set(await Promise.all(addresses.split(' ').map(certificateServedAt)));
  const [only, ...others] = served;
  if (only === undefined || others.length > 0) throw new Error(`${served.size} certificates are served`);
  return only;
}

function certificateServedAt(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 15017, rejectUnauthorized: false, timeout: 5_000 }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.end();
    });
    socket.on('error', reject);
    socket.on('timeout', () => socket.destroy(new Error(`${host} did not answer`)));
  });
}
