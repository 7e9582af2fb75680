import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { NotFoundError } from '../../../src/base/errors.ts';
import { uninstall } from '../../../src/cli/uninstall.ts';
import { defaultLeaseName } from '../../../src/config/operator-config.ts';
import { type Cluster, startCluster } from '../../cluster/cluster.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { listEverything } from '../../support/list-everything.ts';
import { ReleasedOperator } from '../../support/released-operator.ts';
import { runCli } from '../../support/run-cli.ts';
import { never, ownNamespace, type TestClient, testClient, uniqueName } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';

const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  name: 'meshoperators.meshoperator.dev',
};
const meshKind = kindInfo('meshoperator.dev/v1alpha1', 'MeshOperator');

/** What a person deletes. */
type Step = 'mesh' | 'namespace' | 'chart' | 'crd';
const orders = permutationsOf<Step>(['mesh', 'namespace', 'chart', 'crd']);

/**
 * What is documented to stay: Istio's CRDs, which are the cluster's; and in the operator's namespace its Lease and the
 * authorities of meshes, until that goes. Events and addresses of Services are given back by Kubernetes later.
 */
const kept = [
  / CustomResourceDefinition \S+\.istio\.io$/,
  / APIService \S+\.istio\.io$/,
  / Event /,
  / IPAddress /,
];
const keptByOperator = [
  new RegExp(` Lease ${operatorNamespace}/mesh-operator$`),
  new RegExp(` Secret ${operatorNamespace}/\\S+\\.ca$`),
  new RegExp(` Namespace ${operatorNamespace}$`),
  new RegExp(` ServiceAccount ${operatorNamespace}/default$`),
  new RegExp(` ConfigMap ${operatorNamespace}/kube-root-ca\\.crt$`),
];

/** What a release has beside its namespace. */
const releasedKinds = [
  ...['clusterroles', 'clusterrolebindings'],
  ...['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
];

let cluster: Cluster;
let admin: TestClient;
let before: string[];
let operator: ReleasedOperator | undefined;

beforeAll(async () => {
  cluster = await startCluster({ name: uniqueName('orders'), nodes: 'kwok', progress: () => {} });
  admin = testClient(cluster.kubeconfigPath);
  before = await listEverything(cluster);
});

afterEach(() => operator?.end());

afterAll(async () => {
  await admin?.connection.close();
  await cluster?.stop();
});

describe.each([
  { first: 'chart', second: 'crd' },
  { first: 'crd', second: 'chart' },
] as const)('uninstall with $first before $second', ({ first, second }) => {
  const chosen = orders.filter((order) => order.indexOf(first) < order.indexOf(second));

  test(`leaves nothing in any of ${chosen.length} orders`, async () => {
    expect(chosen).toHaveLength(orders.length / 2);
    operator = await ReleasedOperator.install(cluster);
    const installs = await Promise.all(
      chosen.map(async (order, index) => ({ order, mesh: await install(index) })),
    );

    await operator.installWebhooks();
    for (const shared of [first, second, undefined]) {
      await Promise.all(
        installs.map(async ({ order, mesh }) => {
          for (const step of stepsBefore(order, shared)) {
            if (step === 'mesh') await removeMesh(mesh);
            else await removeNamespace(mesh.key.namespace, mesh);
          }
        }),
      );
      if (shared === 'chart') await operator.uninstall();
      if (shared === 'crd') await removeCrd();
    }

    await untilNothingIsLeft();
  }, 600_000);
});

test('uninstall of everything at once leaves nothing', async () => {
  operator = await ReleasedOperator.install(cluster);
  const meshes = await Promise.all([install(0), install(1)]);
  await operator.installWebhooks();

  await Promise.all([
    ...meshes.flatMap(({ key }) => [
      cluster.kubectl('delete', 'mesh', key.name, '-n', key.namespace, '--wait=false'),
      cluster.kubectl('delete', 'namespace', key.namespace, '--wait=false'),
    ]),
    operator.uninstall(),
    cluster.kubectl('delete', 'crd', crd.name, '--wait=false'),
  ]);
  for (const mesh of meshes) await forceUninstall(mesh);

  await untilNothingIsLeft();
}, 600_000);

test('uninstall after the namespace of the operator leaves nothing', async () => {
  operator = await ReleasedOperator.install(cluster);
  const mesh = await install(0);
  await operator.installWebhooks();

  await cluster.kubectl('delete', 'namespace', operatorNamespace, '--wait=false');
  await operator.end();
  await cluster.kubectl('delete', 'namespace', mesh.key.namespace, '--wait=false');
  await forceUninstall(mesh);
  // What Helm cannot remove any more, since it kept its release in that namespace.
  await cluster.kubectl('delete', releasedKinds.join(), '-l', 'app.kubernetes.io/name=mesh-operator');
  await cluster.kubectl('delete', 'crd', crd.name, '--wait=false');

  await untilNothingIsLeft();
}, 600_000);

test('uninstall after the rights of the operator, which lives on and can do nothing, leaves nothing', async () => {
  operator = await ReleasedOperator.install(cluster);
  const mesh = await install(0);
  await operator.installWebhooks();

  await cluster.kubectl('delete', 'clusterrolebinding', `mesh-operator-${operatorNamespace}`);
  await cluster.kubectl('delete', 'mesh', mesh.key.name, '-n', mesh.key.namespace, '--wait=false');
  await forceUninstall(mesh);
  expect(operator.isRunning).toBe(true);
  await operator.uninstall();
  await removeNamespace(mesh.key.namespace, mesh);
  await removeCrd();

  await untilNothingIsLeft();
}, 600_000);

test('uninstall after the namespace of a gateway and the authority leaves nothing', async () => {
  operator = await ReleasedOperator.install(cluster);
  const elsewhere = await ownNamespace(admin.client, 'gateway');
  const mesh = await install(1, {
    components: { ingressGateways: [{ name: 'gateway', namespace: elsewhere }] },
  });

  await removeNamespace(elsewhere);
  await cluster.kubectl('delete', 'secret', `${mesh.key.namespace}.ca`, '-n', operatorNamespace);
  await removeMesh(mesh);
  await removeNamespace(mesh.key.namespace, mesh);
  await operator.uninstall();
  await removeCrd();

  await untilNothingIsLeft();
}, 600_000);

test('what a mesh leaves whose finalizer was taken off by hand goes by its labels', async () => {
  operator = await ReleasedOperator.install(cluster);
  const mesh = await install(0);
  await operator.installWebhooks();
  const webhooks = (await mesh.inventory()).filter(({ kind }) => kind.endsWith('WebhookConfiguration'));

  await operator.uninstall();
  await cluster.kubectl('delete', 'crd', crd.name, '--wait=false');
  const merge = { metadata: { finalizers: [] } };
  await admin.client.patch(mesh.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  await untilGone('the CRD', () => admin.client.find(crd, never));
  expect(webhooks.length).toBeGreaterThan(0);
  for (const id of webhooks) expect(await admin.client.find(id, never)).toBeDefined();
  expect(await forceUninstall(mesh, true)).toContain(`What was left of ${mesh.key.namespace}/mesh is gone`);
  await removeNamespace(mesh.key.namespace);

  await untilNothingIsLeft();
}, 600_000);

/** A mesh in a namespace of its own: with an injector, which simulated nodes do not run, or else with a gateway. */
async function install(index: number, spec: MeshOperatorSpec = {}): Promise<TestMesh> {
  const namespace = await ownNamespace(admin.client, 'mesh');
  const hasInjector = index % 2 === 0;
  const components = { ingressGateways: [{ name: 'gateway' }] };
  const own = hasInjector ? {} : { sidecarInjector: { enabled: false }, components };
  const object = {
    ...{ apiVersion: meshKind.apiVersion, kind: meshKind.kind, metadata: { name: 'mesh', namespace } },
    spec: { revision: uniqueName('r'), ...own, ...spec },
  };
  await admin.client.create(object as KubernetesObject, { fieldManager: 'test' }, never);
  const mesh = new TestMesh(admin.client, { namespace, name: 'mesh' });
  if (hasInjector) {
    await mesh.untilStatus('has all that goes without a running injector', ({ conditions = [] }) =>
      conditions.some(({ type, message }) => type === 'Ready' && message.includes('see InjectorReady')),
    );
  } else await mesh.until('Ready');
  return mesh;
}

/** By the operator while it runs, else by the way out. */
async function removeMesh(mesh: TestMesh): Promise<void> {
  if (operator?.isRunning !== true) {
    await forceUninstall(mesh);
  } else if ((await admin.client.find(mesh.id, never)) !== undefined) {
    await mesh.delete();
    await untilGone('the mesh', () => admin.client.find(mesh.id, never));
  }
}

/** Standard output of `mesh-operator uninstall --force`, which has nothing to do when everything is gone already. */
async function forceUninstall(mesh: TestMesh, purge = false): Promise<string> {
  const { namespace, name } = mesh.key;
  const options = { kubeconfig: cluster.kubeconfigPath, namespace, leaseName: defaultLeaseName };
  try {
    const { code, stdout, stderr } = await runCli((terminal) =>
      uninstall(name, { ...options, deadline: '10m', force: true, yes: true, purge }, terminal),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  } catch (error) {
    if (error instanceof NotFoundError) return '';
    throw error;
  }
}

/** Returns when the namespace is gone, unless its mesh holds it while no operator runs. */
async function removeNamespace(name: string, mesh?: TestMesh): Promise<void> {
  await cluster.kubectl('delete', 'namespace', name, '--wait=false', '--ignore-not-found');
  const isHeld = operator?.isRunning !== true && mesh !== undefined && (await isThere(mesh));
  const id = { apiVersion: 'v1', kind: 'Namespace', name };
  if (!isHeld) await untilGone(`namespace ${name}`, () => admin.client.find(id, never));
}

/** Returns when the CRD is gone, unless meshes hold it while no operator runs. */
async function removeCrd(): Promise<void> {
  await cluster.kubectl('delete', 'crd', crd.name, '--wait=false');
  const meshes = await cluster
    .kubectl('get', 'mesh', '--all-namespaces', '--output=name', '--ignore-not-found')
    .catch(
      () => '', // served no more
    );
  const isHeld = operator?.isRunning !== true && meshes !== '';
  if (!isHeld) await untilGone('the CRD', () => admin.client.find(crd, never));
}

async function isThere(mesh: TestMesh): Promise<boolean> {
  return (await admin.client.find(mesh.id, never)) !== undefined;
}

async function untilGone(what: string, find: () => Promise<KubernetesObject | undefined>): Promise<void> {
  let found: KubernetesObject | undefined;
  const explain = async () => `${JSON.stringify(found?.status)}\n${operator?.tail()}`;
  await waitUntil({ what: `${what} is gone`, explain }, async () => {
    found = await find();
    return found === undefined;
  });
}

/** First but for what is documented to stay with the operator's namespace, then without that; nothing hangs in deletion. */
async function untilNothingIsLeft(): Promise<void> {
  await untilNothingIsNew([...kept, ...keptByOperator]);
  await cluster.kubectl('delete', 'namespace', operatorNamespace, '--ignore-not-found');
  await untilNothingIsNew(kept);
}

async function untilNothingIsNew(expected: readonly RegExp[]): Promise<void> {
  let added: string[] = [];
  const explain = async () => added.join('\n');
  await waitUntil({ what: 'nothing is left', intervalMs: 1_000, explain }, async () => {
    const now = await listEverything(cluster);
    added = now.filter((line) => !before.includes(line) && !expected.some((text) => text.test(line)));
    return added.length === 0;
  });
}

/** The steps of an order between the shared step before this one and this one. */
function stepsBefore(order: readonly Step[], shared: 'chart' | 'crd' | undefined): ('mesh' | 'namespace')[] {
  const isShared = (step: Step) => step === 'chart' || step === 'crd';
  const end = shared === undefined ? order.length : order.indexOf(shared);
  const begin = order.slice(0, end).findLastIndex(isShared) + 1;
  return order.slice(begin, end).filter((step) => step === 'mesh' || step === 'namespace');
}

function permutationsOf<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) =>
    permutationsOf(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}
