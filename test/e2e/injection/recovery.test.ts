import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ObjectId } from '../../../src/api/kubernetes-object.ts';
import { servingSecretData } from '../../../src/controllers/admission/serving-slots.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { installRealMesh, type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { aServingCertificate } from '../../support/serving-certificates.ts';
import { never } from '../../support/test-client.ts';

const app = 'recovery';
const controlPlane = 'istio-system';
const host = `sidecar-injector.${controlPlane}.svc`;
const secretId: ObjectId = {
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: controlPlane,
  name: 'sidecar-injector-tls',
};

let real: RealMesh;
let cluster: Cluster;

beforeAll(async () => {
  real = await installRealMesh('test/e2e/injection/mesh.yaml');
  cluster = real.cluster;
  await cluster.kubectl('create', 'namespace', app);
  await cluster.kubectl('label', 'namespace', app, 'istio-injection=enabled');
});

afterAll(async () => {
  if (real !== undefined) await removeRealMesh(real, app);
});

describe('an injector that nobody looks after', () => {
  test('comes back by itself when its certificate has expired while no operator ran', async () => {
    await scaleOperator(0);
    const expired = await aServingCertificate(new Date(Date.now() - 60_000), { host });
    const patch = { type: 'merge' as const, merge: { data: servingSecretData({ current: expired }) } };
    await real.admin.client.patch(secretId, patch, { fieldManager: 'test' }, never);
    await deletePods(controlPlane, 'app=sidecar-injector');
    await untilInjectorIsNotReady();
    expect(await failurePolicies()).toEqual(['Fail']);
    expect(await createPod('refused')).toMatch(/failed calling webhook/);

    await scaleOperator(1);

    await untilHealthy();
    expect(await createPod('after-expiry')).toBe('injected');
  });

  test('comes back by itself when everything starts at once, with webhooks that are strict from before', async () => {
    await cluster.kubectl('create', 'deployment', 'cold', '-n', app, '--image=meshoperator.dev/test-app:1');
    await waitUntil({ what: 'its pod is there' }, async () => (await podsOf('cold')).length > 0);
    expect(await failurePolicies()).toEqual(['Fail']);
    const started = new Date();

    await cluster.stopServer('kubelet');
    for (const namespace of [operatorNamespace, controlPlane, app]) {
      await cluster.kubectl('delete', 'pods', '--all', '-n', namespace, '--force', '--grace-period=0');
    }
    await cluster.startServer('kubelet');

    await untilHealthy();
    await waitUntil({ what: 'the app is there again, with a sidecar' }, async () => {
      const pods = await podsOf('cold');
      return pods.length === 1 && pods.every(({ created, isInjected }) => isInjected && created >= started);
    });
  });
});

async function scaleOperator(replicas: number): Promise<void> {
  const deployment = 'deployment/mesh-operator';
  await cluster.kubectl('scale', deployment, '-n', operatorNamespace, `--replicas=${replicas}`);
  if (replicas > 0) {
    await cluster.kubectl('rollout', 'status', deployment, '-n', operatorNamespace, '--timeout=240s');
    return;
  }
  await waitUntil({ what: 'no operator runs' }, async () => {
    const pods = await cluster.kubectl('get', 'pods', '-n', operatorNamespace, '-o', 'name');
    return pods.trim() === '';
  });
}

async function deletePods(namespace: string, selector: string): Promise<void> {
  await cluster.kubectl('delete', 'pods', '-n', namespace, '-l', selector);
}

async function untilInjectorIsNotReady(): Promise<void> {
  await waitUntil({ what: 'no replica of the injector is ready' }, async () => {
    const ready = await cluster.kubectl(
      ...['get', 'deployment', 'sidecar-injector', '-n', controlPlane],
      ...['-o', 'jsonpath={.status.readyReplicas}'],
    );
    return ready === '' || ready === '0';
  });
}

async function untilHealthy(): Promise<void> {
  await waitUntil(
    {
      what: 'the injector is reached and strict again',
      intervalMs: 500,
      explain: async () => JSON.stringify((await real.mesh.status()).conditions),
    },
    async () => {
      expect(await failurePolicies()).toEqual(['Fail']);
      const { state, conditions = [] } = await real.mesh.status();
      const injector = conditions.find(({ type }) => type === 'InjectorReady');
      return state === 'Ready' && injector?.status === 'True' && (await createPod('probe')) === 'injected';
    },
  );
}

/** Of the entries that select pods of apps. */
async function failurePolicies(): Promise<string[]> {
  const configuration = await real.admin.client.get(
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      name: `istio-sidecar-injector-${controlPlane}`,
    },
    never,
  );
  const webhooks = configuration.webhooks as { name: string; failurePolicy: string }[];
  const selecting = webhooks.filter(({ name }) => !name.startsWith('self-test'));
  return [...new Set(selecting.map(({ failurePolicy }) => failurePolicy))];
}

/** What becomes of a pod that is created, as a dry run: `injected`, `bare`, or why it is refused. */
async function createPod(name: string): Promise<string> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: app },
    spec: { containers: [{ name: 'app', image: 'app' }] },
  };
  try {
    const options = { fieldManager: 'test', dryRun: true };
    const { metadata } = await real.admin.client.create(pod, options, never);
    return metadata.annotations?.['sidecar.istio.io/status'] === undefined ? 'bare' : 'injected';
  } catch (error) {
    return String(error);
  }
}

async function podsOf(name: string): Promise<{ created: Date; isInjected: boolean }[]> {
  const text = await cluster.kubectl('get', 'pods', '-n', app, '-l', `app=${name}`, '-o', 'json');
  const { items } = JSON.parse(text) as {
    items: { metadata: { creationTimestamp: string; annotations?: Record<string, string> } }[];
  };
  return items.map(({ metadata }) => ({
    created: new Date(metadata.creationTimestamp),
    isInjected: metadata.annotations?.['sidecar.istio.io/status'] !== undefined,
  }));
}
