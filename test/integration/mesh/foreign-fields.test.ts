import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ObjectId } from '../../../src/api/kubernetes-object.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

interface Webhooks {
  readonly webhooks: readonly {
    readonly failurePolicy: string;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

let world: MeshCluster;
let mesh: TestMesh;
let namespace: string;
let revision: string;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
  mesh = await world.createMesh();
  await mesh.until('Ready');
  ({ namespace } = mesh.key);
  revision = (await mesh.status()).revision ?? '';
});

afterAll(() => world?.close());

test('replicas that an autoscaler sets survive a forced pass', async () => {
  const istiod = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: `istiod-${revision}` };
  await world.client.patch(
    istiod,
    { type: 'merge', merge: { spec: { replicas: 3 } } },
    { fieldManager: 'kube-controller-manager', subresource: 'scale' },
    never,
  );

  await forceAPass(istiod);

  expect(await world.client.get(istiod, never)).toMatchObject({ spec: { replicas: 3 } });
});

test('the CA bundle and the failure policy that istiod sets survive a forced pass', async () => {
  const validator = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    name: `istio-validator-${revision}-${namespace}`,
  };
  const caBundle = Buffer.from(world.cluster.name).toString('base64');
  const istiodSets = [
    { op: 'add' as const, path: '/webhooks/0/clientConfig/caBundle', value: caBundle },
    { op: 'replace' as const, path: '/webhooks/0/failurePolicy', value: 'Fail' },
  ];
  await world.client.patch(
    validator,
    { type: 'json', operations: istiodSets },
    { fieldManager: 'pilot-discovery' },
    never,
  );

  await forceAPass(validator);

  const { webhooks } = (await world.client.get(validator, never)) as unknown as Webhooks;
  expect(webhooks[0]).toMatchObject({ failurePolicy: 'Fail', clientConfig: { caBundle } });
});

test('a finalizer that somebody adds survives a forced pass', async () => {
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `istio-${revision}` };
  const finalizers = ['example.com/keep'];
  await world.client.patch(
    id,
    { type: 'merge', merge: { metadata: { finalizers } } },
    { fieldManager: 'test' },
    never,
  );

  await forceAPass(id);

  expect((await world.client.get(id, never)).metadata.finalizers).toEqual(finalizers);
  await world.client.patch(
    id,
    { type: 'merge', merge: { metadata: { finalizers: [] } } },
    { fieldManager: 'test' },
    never,
  );
});

test('a mesh that is changed keeps them, too', async () => {
  const istiod = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: `istiod-${revision}` };

  await mesh.change({ components: { pilot: { k8s: { podAnnotations: { example: 'changed' } } } } });
  await mesh.until('Ready');

  expect(await world.client.get(istiod, never)).toMatchObject({
    spec: { replicas: 3, template: { metadata: { annotations: { example: 'changed' } } } },
  });
});

/** Takes one of our labels away, so that the object is surely written again, and waits until it is. */
async function forceAPass(id: ObjectId): Promise<void> {
  const merge = { metadata: { labels: { 'app.kubernetes.io/part-of': 'something-else' } } };
  await world.client.patch(id, { type: 'merge', merge }, { fieldManager: 'kubectl-label' }, never);
  await waitUntil({ what: `${id.kind} ${id.name} is written again` }, async () => {
    const { labels } = (await world.client.get(id, never)).metadata;
    return labels?.['app.kubernetes.io/part-of'] === 'istio';
  });
}
