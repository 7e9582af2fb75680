import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { Pod } from '../../../src/injection/pod.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { aReview } from '../../support/admission-review.ts';
import { applyPatch } from '../../support/apply-patch.ts';
import { aPod } from '../../support/injection-input.ts';
import { RunningInjector } from '../../support/running-injector.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { never, type TestClient, testClient, uniqueName } from '../../support/test-client.ts';

let cluster: Cluster;
let direct: TestClient;
let injector: RunningInjector;
/** Asks for injection by its label. */
let chosen: string;

beforeAll(async () => {
  cluster = await sharedCluster();
  direct = testClient(cluster.kubeconfigPath);
  chosen = await chosenNamespace();
  injector = await RunningInjector.start();
});

afterAll(async () => {
  await injector?.remove();
  await direct.connection.close();
});

async function chosenNamespace(): Promise<string> {
  const name = uniqueName('injected');
  const metadata = { name, labels: { 'istio-injection': 'enabled', 'mesh-operator.test/chosen': name } };
  await direct.client.create(
    { apiVersion: 'v1', kind: 'Namespace', metadata },
    { fieldManager: 'test' },
    never,
  );
  return name;
}

function podIn(namespace: string, fields: Parameters<typeof aPod>[0] = {}): Pod {
  return aPod({ ...fields, metadata: { namespace, ...fields.metadata } });
}

describe('a review', () => {
  test('of a pod is answered with a patch that injects it', async () => {
    const pod = podIn(chosen);

    const response = await injector.review(aReview(pod));

    expect(response).toMatchObject({ allowed: true, patchType: 'JSONPatch' });
    const injected = applyPatch(pod, response.patch) as Pod;
    expect(injected.spec.initContainers?.map(({ name }) => name)).toEqual(['istio-init', 'istio-proxy']);
    expect(response.auditAnnotations?.decision).toContain('the selectors of the webhook chose the pod');
  });

  test('of a pod of the control plane is answered without a patch, and counted', async () => {
    const skips = 'mesh_operator_injection_skips_total{reason="ControlPlaneNamespace"}';

    const response = await injector.review(aReview(podIn('istio-system')));

    expect(response).toMatchObject({ allowed: true, patch: [] });
    expect(await injector.metric(skips)).toBe(1);
  });

  test('of the pod that tests the injector itself is answered with a patch', async () => {
    const metadata = {
      labels: { 'meshoperator.dev/injector-self-test': '' },
      annotations: { 'sidecar.istio.io/inject': 'true' },
    };

    const response = await injector.review(aReview(podIn('istio-system', { metadata })));

    expect(response.patch.length).toBeGreaterThan(0);
  });

  test('of version v1beta1 is answered in v1beta1', async () => {
    const review = { ...aReview(podIn(chosen)), apiVersion: 'admission.k8s.io/v1beta1' };

    const { body } = await injector.post(JSON.stringify(review));

    expect(JSON.parse(body)).toMatchObject({
      apiVersion: 'admission.k8s.io/v1beta1',
      kind: 'AdmissionReview',
      response: { uid: 'a2f6a5d0-9c7f-4a53-9d3c-6f3a1a0a3f10', allowed: true },
    });
  });

  test('of a pod whose annotation is wrong is a denial that names the annotation', async () => {
    const annotations = { 'sidecar.istio.io/proxyCPU': 'plenty' };

    const response = await injector.review(aReview(podIn(chosen, { metadata: { annotations } })));

    expect(response).toMatchObject({ allowed: false, patch: [], status: { code: 400 } });
    expect(response.status?.message).toContain('annotation sidecar.istio.io/proxyCPU must be a quantity');
  });

  test('of a pod that asks for what it cannot have lets it through with a warning', async () => {
    const labels = { 'sidecar.istio.io/inject': 'true' };
    const pod = podIn(chosen, { metadata: { labels }, spec: { hostNetwork: true } });

    const response = await injector.review(aReview(pod));

    expect(response).toMatchObject({ allowed: true, patch: [] });
    expect(response.warnings).toEqual([expect.stringContaining('the pod is in the network of its node')]);
  });

  test('with an environment in its path sets it on the proxy', async () => {
    const pod = podIn(chosen);

    const response = await injector.review(aReview(pod), '/inject/cluster/east/net/n1/some/a--slash--b');

    const injected = applyPatch(pod, response.patch) as Pod;
    const proxy = injected.spec.initContainers?.find(({ name }) => name === 'istio-proxy');
    expect(proxy?.env).toEqual(
      expect.arrayContaining([
        { name: 'ISTIO_META_CLUSTER_ID', value: 'east' },
        { name: 'ISTIO_META_NETWORK', value: 'n1' },
        { name: 'SOME', value: 'a/b' },
      ]),
    );
  });

  test('of an injected pod changes nothing more', async () => {
    const pod = podIn(chosen);
    const first = await injector.review(aReview(pod));

    const second = await injector.review(aReview(applyPatch(pod, first.patch)));

    expect(second).toMatchObject({ allowed: true, patch: [] });
  });

  test('leaves one line in the log, without anything of the pod but its name', async () => {
    const annotations = { note: 'very-private' };
    const env = [{ name: 'PASSWORD', value: 'very-private' }];
    const pod = podIn(chosen, {
      metadata: { generateName: 'logged-', annotations },
      spec: { containers: [{ name: 'app', image: 'registry.example.com/very-private', env }] },
    });
    delete pod.metadata.name;

    await injector.review(aReview(pod));

    await injector.untilLogged('Decided', { pod: 'logged-*' });
    expect(injector.logged('Decided', { pod: 'logged-*' })).toEqual([
      expect.objectContaining({
        namespace: chosen,
        decision: 'inject',
        reason: 'Injected',
        revision: 'default',
        durationMs: expect.any(Number),
      }),
    ]);
    expect(JSON.stringify(injector.log)).not.toContain('very-private');
  });
});

describe('an API server', () => {
  test('creates pods as the webhook injects them', async () => {
    await cluster.apply(JSON.stringify(webhookConfiguration(uniqueName('injector'))));
    await direct.client.create(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: chosen } },
      { fieldManager: 'test' },
      never,
    );
    const pod = podIn(chosen, { metadata: { name: 'real' } }) as KubernetesObject & Pod;

    const created = await waitUntil({ what: 'the API server knows the webhook' }, async () => {
      const answer = await direct.client.apply(pod, { fieldManager: 'test', dryRun: true }, never);
      return answer.metadata.annotations?.['sidecar.istio.io/status'] === undefined ? undefined : answer;
    });

    const { spec, metadata } = created as unknown as Pod;
    expect(spec.initContainers?.map(({ name }) => name)).toEqual(['istio-init', 'istio-proxy']);
    expect(metadata.labels).toMatchObject({ 'topology.istio.io/network': 'n1' });
    await injector.untilLogged('Decided', { pod: 'real', decision: 'inject' });
  });
});

function webhookConfiguration(name: string): KubernetesObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'injector.meshoperator.dev',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        clientConfig: {
          url: `https://127.0.0.1:${injector.port}/inject/net/n1`,
          caBundle: Buffer.from(injector.authority.caPem).toString('base64'),
        },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        namespaceSelector: { matchLabels: { 'mesh-operator.test/chosen': chosen } },
      },
    ],
  };
}
