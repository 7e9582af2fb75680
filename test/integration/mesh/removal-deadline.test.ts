import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import type { KubernetesObject, ObjectId } from '../../../src/api/kubernetes-object.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

const hold = 'example.com/hold';

let world: MeshCluster;
let operator: RunningOperator;
let mesh: TestMesh;
let inventory: readonly ObjectId[];
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  world = await MeshCluster.open();
  operator = await world.startOperator(['--removal-deadline', '4s']);
});

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
  await world?.close();
});

beforeEach(async () => {
  mesh = await world.createMesh();
  await mesh.until('Ready');
  inventory = await mesh.inventory();
});

function one(kind: string): ObjectId {
  const id = inventory.find((candidate) => candidate.kind === kind);
  if (id === undefined) throw new Error(`the mesh has no ${kind}`);
  return id;
}

async function setFinalizers(id: ObjectId, finalizers: readonly string[]): Promise<void> {
  const merge = { metadata: { finalizers } };
  await world.client.patch(id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
}

async function holdForever(id: ObjectId): Promise<void> {
  await setFinalizers(id, [hold]);
  cleanUps.push(async () => {
    if ((await world.client.find(id, never)) !== undefined) await setFinalizers(id, []);
  });
}

/** What there still is of what the mesh consisted of. */
async function left(): Promise<ObjectId[]> {
  const found = await Promise.all(inventory.map((id) => world.client.find(id, never)));
  return inventory.filter((_id, index) => found[index] !== undefined);
}

async function untilEventOfGoneMesh(...texts: readonly string[]): Promise<void> {
  const options = { namespace: mesh.key.namespace, fieldSelector: 'reason=LeftBehind' };
  let said: unknown[] = [];
  const explain = async () => JSON.stringify(said);
  await waitUntil({ what: `an Event says ${texts.join(' ')}`, explain }, async () => {
    const { items } = await world.client.list(kindInfo('v1', 'Event'), options, never);
    said = items.map(({ message }) => message);
    return said.some((message) => texts.every((text) => String(message).includes(text)));
  });
}

test('a finalizer of somebody else is named in status, and the mesh goes without that object in the end', async () => {
  const id = one('ConfigMap');
  await holdForever(id);

  await mesh.delete();
  const text = `ConfigMap ${id.namespace}/${id.name} (finalizers ${hold})`;
  await mesh.untilStatus('names what holds it', ({ conditions = [] }) =>
    conditions.some(
      ({ type, status, reason, message }) =>
        type === 'Stalled' &&
        status === 'True' &&
        reason === 'RemovalBlocked' &&
        message.includes(text) &&
        /at \S+Z the mesh goes without/.test(message),
    ),
  );
  await mesh.untilGone();

  expect(await left()).toEqual([id]);
  await untilEventOfGoneMesh(text);
});

test('webhooks that do not go are disarmed before what answers them goes', async () => {
  const id = one('ValidatingWebhookConfiguration');
  const istiod = inventory.find(({ kind, name }) => kind === 'Deployment' && name.startsWith('istiod'));
  await holdForever(id);

  await mesh.delete();
  await waitUntil({ what: 'the webhooks are disarmed' }, async () => {
    const { webhooks } = await world.client.get(id, never);
    return ((webhooks as unknown[] | undefined) ?? []).length === 0;
  });
  expect(await world.client.find(istiod as ObjectId, never)).toBeDefined();
  await mesh.untilGone();

  expect(await left()).toEqual([id]);
  await untilEventOfGoneMesh(`ValidatingWebhookConfiguration ${id.name}`);
});

test('a deletion that a webhook of somebody else keeps from happening is named, and does not keep the rest', async () => {
  const id = one('ServiceAccount');
  const guard = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    name: uniqueName('guard'),
  };
  await world.client.create(guardOver(guard, mesh.key.namespace), { fieldManager: 'test' }, never);
  cleanUps.push(() => world.client.delete(guard, {}, never));
  await waitUntil({ what: 'the webhook guards' }, async () => {
    const attempt = world.cluster.kubectl(
      ...['delete', 'serviceaccount', id.name, '-n', id.namespace ?? '', '--dry-run=server'],
    );
    return attempt.then(
      () => false,
      () => true,
    );
  });

  await mesh.delete();
  await mesh.untilStatus('names the refusal', ({ conditions = [] }) =>
    conditions.some(
      ({ type, message }) =>
        type === 'Ready' && message.includes(id.name) && message.includes('nobody.example'),
    ),
  );
  await mesh.untilGone();

  const kinds = (await left()).map(({ kind }) => kind);
  expect(kinds).toContain('ServiceAccount');
  expect(kinds.filter((kind) => kind !== 'ServiceAccount')).toEqual([]);
  await untilEventOfGoneMesh(`ServiceAccount ${id.namespace}/${id.name}`);
});

test('a pod that does not end is named, and the mesh goes without it in the end', async () => {
  const options = { namespace: mesh.key.namespace, limit: 1 };
  const [pod] = (await world.client.list(kindInfo('v1', 'Pod'), options, never)).items;
  const id = { apiVersion: 'v1', kind: 'Pod', namespace: mesh.key.namespace, name: pod?.metadata.name ?? '' };
  await holdForever(id);

  await mesh.delete();
  await mesh.untilStatus('names the pod', ({ conditions = [] }) =>
    conditions.some(
      ({ type, message }) => type === 'Ready' && message.includes(`Pod ${id.namespace}/${id.name}`),
    ),
  );
  await mesh.untilGone();

  expect(await left()).toEqual([]);
  expect(operator.isRunning).toBe(true);
});

/** Asks nobody about the end of ServiceAccounts of a namespace, so none ends. */
function guardOver({ apiVersion, kind, name }: ObjectId, namespace: string): KubernetesObject {
  return {
    ...{ apiVersion, kind, metadata: { name } },
    webhooks: [
      {
        name: 'nobody.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 1,
        clientConfig: { service: { namespace: 'default', name: 'nobody' } },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['serviceaccounts'] },
        ],
      },
    ],
  };
}
