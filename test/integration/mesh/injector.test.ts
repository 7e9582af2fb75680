import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject, ObjectId } from '../../../src/api/kubernetes-object.ts';
import type { JsonPatchOperation } from '../../../src/kube/client.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { isWrite, requestText } from '../../support/audit-log.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

/** Simulated pods would be ready and answer nothing, so the injector's are kept from starting: no replica, ever. */
const nowhere = { nodeSelector: { nobody: 'has-this' } };
const revision = uniqueName('r');

interface Webhook {
  readonly name: string;
  readonly failurePolicy: string;
  readonly clientConfig: { readonly caBundle?: string };
}

let world: MeshCluster;
let operator: RunningOperator;
let mesh: TestMesh;
let webhookId: ObjectId;
let secretId: ObjectId;

beforeAll(async () => {
  world = await MeshCluster.open();
  operator = await world.startOperator();
  mesh = await world.createMesh({ revision, revisionTags: ['tagged'], sidecarInjector: { k8s: nowhere } });
  const { namespace } = mesh.key;
  secretId = { apiVersion: 'v1', kind: 'Secret', namespace, name: `sidecar-injector-${revision}-tls` };
  webhookId = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    name: `istio-sidecar-injector-${revision}-${namespace}`,
  };
  await mesh.untilStatus('says that no replica is ready', ({ conditions = [] }) =>
    conditions.some(({ type, reason }) => type === 'InjectorReady' && reason === 'NoReplica'),
  );
});

afterAll(() => world?.close());

describe('an injector of which no replica is ready', () => {
  test('is said in the status, and keeps the mesh from Ready', async () => {
    expect(await mesh.condition('InjectorReady')).toMatchObject({
      status: 'False',
      reason: 'NoReplica',
      message: expect.stringContaining('pods start without a sidecar'),
    });
    expect((await mesh.status()).state).toBe('Reconciling');
    expect(await mesh.condition('Ready')).toMatchObject({ status: 'False' });
  });

  test('has webhooks that let pods through, and that trust its certificate already', async () => {
    for (const id of [webhookId, { ...webhookId, name: 'istio-revision-tag-tagged' }]) {
      await untilWebhooks(id, (webhooks) => {
        for (const { name, failurePolicy, clientConfig } of webhooks) {
          expect(failurePolicy).toBe(name.startsWith('self-test') ? 'Fail' : 'Ignore');
          expect(authoritiesOf(clientConfig.caBundle).length).toBe(1);
        }
      });
    }
  });

  test('has a certificate for its Service, which the bundle of its webhooks verifies', async () => {
    const leaf = new X509Certificate(await readSecret('tls.crt'));
    const [authority] = authoritiesOf((await webhooksOf(webhookId))[0]?.clientConfig.caBundle);

    expect(authority !== undefined && leaf.verify(authority.publicKey)).toBe(true);
    expect(leaf.checkHost(`sidecar-injector-${revision}.${mesh.key.namespace}.svc`)).toBeDefined();
  });

  test('costs no request while nothing happens', async () => {
    // What counts replicas is written every ten seconds at most: this is the last word of the three controllers.
    await mesh.untilStatus('says all that there is to say', ({ conditions = [] }) => {
      const ready = conditions.find(({ type }) => type === 'Ready');
      const isToldOfPods = conditions.some(({ type }) => type === 'ProxiesUpToDate');
      return isToldOfPods && /sidecar-injector\S* has 0 of 2 replicas available/.test(ready?.message ?? '');
    });
    await world.audit.restart();
    const passes = operator.logged('Reconciled', { controller: 'mesh' }).length;
    const other = await world.createMesh();
    await other.until('Ready');
    await operator.untilLogged('Reconciled', { controller: 'mesh' }, { times: passes + 1 });

    const requests = await world.audit.requestsOf(world.access.user);
    const about = requests.filter(({ namespace, name }) =>
      [namespace, name].some((text) => text?.includes(mesh.key.namespace) || text?.includes(revision)),
    );
    expect(about.filter(isWrite).map(requestText)).toEqual([]);
  });
});

describe('what somebody does to the webhooks of an injector', () => {
  const edits: readonly (readonly [string, JsonPatchOperation])[] = [
    ['another bundle', { op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value: 'bm90aGluZw==' }],
    ['no bundle', { op: 'remove', path: '/webhooks/1/clientConfig/caBundle' }],
    ['a strict policy', { op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Fail' }],
    ['a lax self-test', { op: 'replace', path: '/webhooks/2/failurePolicy', value: 'Ignore' }],
    ['another selector', { op: 'replace', path: '/webhooks/0/objectSelector', value: {} }],
    [
      'the word that it is reached',
      { op: 'add', path: '/metadata/annotations', value: { 'meshoperator.dev/injector-reached': 'now' } },
    ],
  ];

  test.each(edits)('is set back: %s', async (_what, operation) => {
    const before = comparable(await world.client.get(webhookId, never));

    const edit = { type: 'json' as const, operations: [operation] };
    await world.client.patch(webhookId, edit, { fieldManager: 'kubectl-edit' }, never);

    await untilEqual(webhookId, before);
  });

  test('is set back: they are deleted', async () => {
    const before = comparable(await world.client.get(webhookId, never));

    await world.client.delete(webhookId, {}, never);

    await untilEqual(webhookId, before);
  });
});

describe('the Secret with the serving certificate', () => {
  test('is made anew when it is deleted, and the webhooks trust both certificates', async () => {
    const before = await readSecret('tls.crt');

    await world.client.delete(secretId, {}, never);

    const after = await untilSecret((crt) => crt !== before);
    await untilWebhooks(webhookId, ([webhook]) => {
      const bundle = authoritiesOf(webhook?.clientConfig.caBundle);
      for (const pem of [before, after]) {
        const leaf = new X509Certificate(pem);
        expect(bundle.some(({ publicKey }) => leaf.verify(publicKey))).toBe(true);
      }
    });
  });

  test('is made anew when somebody spoils it', async () => {
    const before = await readSecret('tls.crt');
    const merge = { data: { 'tls.key': Buffer.from('spoilt').toString('base64') } };

    await world.client.patch(secretId, { type: 'merge', merge }, { fieldManager: 'kubectl-edit' }, never);

    await untilSecret((crt) => crt !== before);
  });

  test('is in no log line, Event or status', async () => {
    const key = Buffer.from(await readSecret('tls.key')).toString();
    const line = key.split('\n')[3] ?? '';
    expect(line.length).toBeGreaterThan(40);
    const said = JSON.stringify([operator.log, await mesh.events(), await mesh.status()]);

    expect(said).not.toContain(line);
    expect(said).not.toContain('PRIVATE KEY');
  });
});

test('an injector that the spec turns off goes with all it had, and the mesh is Ready without it', async () => {
  const objects = (await mesh.inventory()).filter(({ name }) => name.includes('injector'));
  expect(objects.length).toBeGreaterThan(4);

  await mesh.change({ sidecarInjector: { enabled: false } });
  await mesh.until('Ready');

  for (const id of [...objects, secretId]) {
    await waitUntil(
      { what: `${id.kind} ${id.name} is gone` },
      async () => (await world.client.find(id, never)) === undefined,
    );
  }
  await mesh.untilStatus('says nothing of an injector', ({ conditions = [] }) =>
    conditions.every(({ type }) => type !== 'InjectorReady'),
  );
});

async function webhooksOf(id: ObjectId): Promise<Webhook[]> {
  return (await world.client.get(id, never)).webhooks as Webhook[];
}

async function untilWebhooks(id: ObjectId, check: (webhooks: readonly Webhook[]) => void): Promise<void> {
  await waitUntil({ what: `the webhooks of ${id.name} are as they should be` }, async () => {
    check(await webhooksOf(id));
    return true;
  });
}

/** Everything that somebody may have changed and that is not the API server's own. */
function comparable({ metadata, webhooks }: KubernetesObject): unknown {
  const { labels, annotations = {} } = metadata;
  return { labels, annotations, webhooks };
}

async function untilEqual(id: ObjectId, wanted: unknown): Promise<void> {
  let found: unknown;
  const explain = async () => JSON.stringify(found);
  await waitUntil({ what: `${id.name} is as before`, explain }, async () => {
    found = comparable(await world.client.get(id, never));
    expect(found).toEqual(wanted);
    return true;
  });
}

async function readSecret(key: string): Promise<string> {
  const { data } = (await world.client.get(secretId, never)) as unknown as { data: Record<string, string> };
  return Buffer.from(data[key] ?? '', 'base64').toString();
}

async function untilSecret(check: (crt: string) => boolean): Promise<string> {
  return waitUntil({ what: 'there is another certificate' }, async () => {
    const crt = await readSecret('tls.crt');
    return check(crt) ? crt : undefined;
  });
}

function authoritiesOf(caBundle: string | undefined): X509Certificate[] {
  const pem = Buffer.from(caBundle ?? '', 'base64').toString();
  return (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map(
    (block) => new X509Certificate(block),
  );
}
