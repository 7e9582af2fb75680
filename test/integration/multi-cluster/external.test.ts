import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import type { KubernetesObject, ObjectId } from '../../../src/api/kubernetes-object.ts';
import { rotateRemotesAnnotation } from '../../../src/api/labels.ts';
import type { MeshOperator } from '../../../src/api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import type { RemoteStatus } from '../../../src/api/mesh-operator-status.ts';
import { primaryConfigMapId, readPrimary } from '../../../src/api/primary-statement.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { secretTexts } from '../../../src/kube/secret-data.ts';
import {
  operatorAccessName,
  renderOperatorAccess,
} from '../../../src/render/multicluster/operator-access.ts';
import { readerIds } from '../../../src/render/multicluster/reader.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { IstiodProcess } from '../../support/istiod-process.ts';
import { kubeconfigAs } from '../../support/kubeconfig-as.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { identityIn, mayListServices, RemoteCluster } from '../../support/remote-cluster.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let east: MeshCluster;
let west: MeshCluster;
let westCluster: RemoteCluster;

beforeAll(async () => {
  [east, westCluster] = await Promise.all([
    MeshCluster.open('none'),
    RemoteCluster.start(uniqueName('west'), 'none'),
  ]);
  west = await MeshCluster.on(westCluster.cluster);
  await Promise.all([east.startOperator(), west.startOperator()]);
});

afterAll(async () => {
  await east?.close();
  await west?.close();
  await westCluster?.close();
});

interface Pair {
  readonly namespace: string;
  /** Of the cluster with the istiod. */
  readonly mesh: TestMesh;
  readonly follower: TestMesh;
}

/** A mesh whose istiod is in `east`, and everything else in `west`. */
async function createMeshes(spec: MeshOperatorSpec = {}): Promise<Pair> {
  const namespace = await east.ownNamespace();
  await west.createNamespace(namespace);
  await putKubeconfig(namespace, await westCluster.kubeconfig());
  const revision = uniqueName('r');
  const follower = await west.createMesh(
    { revision, multiCluster: { meshID: 'shop', clusterName: 'west', role: 'Remote' } },
    { namespace },
  );
  const mesh = await east.createMesh(
    {
      revision,
      multiCluster: {
        ...{ meshID: 'shop', clusterName: 'east', configCluster: 'west' },
        remotes: [{ clusterName: 'west', role: 'Remote', kubeconfig: { secretName: 'west' } }],
      },
      ...spec,
    },
    { namespace },
  );
  return { namespace, mesh, follower };
}

async function putKubeconfig(namespace: string, kubeconfig: string): Promise<void> {
  const data = { kubeconfig: Buffer.from(kubeconfig).toString('base64') };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'west', namespace }, data };
  await east.client.apply(secret, { fieldManager: 'test', force: true }, never);
}

async function untilRemote(mesh: TestMesh, what: string, holds: (remote: RemoteStatus) => boolean) {
  await mesh.untilStatus(what, ({ remotes = [] }) => remotes.some(holds));
}

/** The load balancer of `east` has given istiod no address, so this is all that is missing. */
const untilDelivered = (mesh: TestMesh) =>
  untilRemote(mesh, 'istiod has its credential', ({ reason }) => reason === 'GatewayPending');

function secretIn(namespace: string, name: string): Promise<KubernetesObject> {
  return east.client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name }, never);
}

/** What istiod has of its kubeconfig. */
async function kubeconfigOf(pair: Pair): Promise<KubernetesObject> {
  return secretIn(pair.namespace, await kubeconfigName(pair));
}

/** The token in the file that the kubeconfig names. */
async function tokenInFile(namespace: string): Promise<string> {
  const { west: token = '' } = secretTexts(await secretIn(namespace, 'istio-remote-tokens'));
  return token;
}

async function kubeconfigName({ mesh }: Pair): Promise<string> {
  const { revision } = (await mesh.read()).spec as MeshOperatorSpec;
  return `istio-kubeconfig-${revision}`;
}

interface StartedIstiod {
  readonly istiod: IstiodProcess;
  /** Puts another token into its file at once, as a kubelet does. */
  readonly writeToken: (token: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** A real istiod with what the Deployment of the mesh mounts and says. */
async function startIstiod(pair: Pair): Promise<StartedIstiod> {
  const { namespace, mesh } = pair;
  const { revision = '' } = (await mesh.read()).spec as MeshOperatorSpec;
  const { config = '' } = secretTexts(await kubeconfigOf(pair));
  const token = await tokenInFile(namespace);
  const meshConfig = await east.client.get(
    { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `istio-${revision}` },
    never,
  );
  const folder = await mkdtemp(join(tmpdir(), 'external-istiod-'));
  const [tokenFile, kubeconfig] = [join(folder, 'token'), join(folder, 'config')];
  await writeFile(tokenFile, token);
  await writeFile(kubeconfig, config.replace(/tokenFile: .*/, `tokenFile: ${tokenFile}`));
  const istiod = await IstiodProcess.start({
    ...{ kubeconfig, namespace, signsItself: true },
    files: {
      ...inFolder('etc/istio/config', meshConfig.data as Record<string, string>),
      ...inFolder('etc/cacerts', secretTexts(await secretIn(namespace, 'cacerts'))),
    },
    env: await literalEnvOfIstiod(namespace),
  });
  return {
    istiod,
    writeToken: async (other) => {
      await writeFile(`${tokenFile}.new`, other);
      await rename(`${tokenFile}.new`, tokenFile);
    },
    end: async () => {
      await istiod.stop();
      await rm(folder, { recursive: true });
    },
  };
}

function inFolder(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
}

async function literalEnvOfIstiod(namespace: string): Promise<Record<string, string>> {
  const options = { namespace, labelSelector: 'app=istiod' };
  const { items } = await east.client.list(kindInfo('apps/v1', 'Deployment'), options, never);
  const env = items.flatMap(({ spec }) => (spec as DeploymentSpec).template.spec.containers[0].env);
  const literal = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
  return Object.fromEntries(literal.filter(([name]) => name !== 'KUBECONFIG'));
}

interface DeploymentSpec {
  readonly template: {
    readonly spec: {
      readonly containers: readonly [{ readonly env: readonly { name: string; value?: string }[] }];
    };
  };
}

async function untilSynced(istiod: IstiodProcess): Promise<void> {
  await waitUntil(
    { what: 'istiod has read the other cluster', explain: () => istiod.lastWords() },
    async () => {
      const answer = await fetch(`http://${istiod.monitoringAddress}/debug/clusterz`).catch(() => undefined);
      const known =
        answer?.ok === true ? ((await answer.json()) as { id: string; syncStatus: string }[]) : [];
      return known.map(({ id, syncStatus }) => `${id} ${syncStatus}`).join() === 'west synced';
    },
  );
}

/**
 * What it says of requests that the other cluster has refused it, but for the roots: it always tries to bring them to
 * namespaces, which the operator over there does.
 */
async function refusals(istiod: IstiodProcess): Promise<string[]> {
  const lines = (await istiod.log()).split('\n').filter((line) => /forbidden|Unauthorized/i.test(line));
  return lines.filter((line) => !/ configmap istio-ca-root-cert: /.test(line));
}

/** The locks that replicas of istiod share in `west`, which it takes before it writes the status of anything. */
async function untilLocked(istiod: IstiodProcess, namespace: string): Promise<void> {
  await waitUntil(
    { what: 'istiod has a lock', explain: () => istiod.lastWords() },
    async () => (await west.client.find(lockId(namespace), never)) !== undefined,
  );
}

/** It writes there again and again that it has the lock. */
async function untilRenewed(istiod: IstiodProcess, namespace: string): Promise<void> {
  const { metadata: before } = await west.client.get(lockId(namespace), never);
  await waitUntil({ what: 'istiod has renewed its lock', explain: () => istiod.lastWords() }, async () => {
    const { metadata } = await west.client.get(lockId(namespace), never);
    return metadata.resourceVersion !== before.resourceVersion;
  });
}

function lockId(namespace: string): ObjectId {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'istio-ip-autoallocate' };
}

test('an istiod takes another cluster for its own by what it is given, and is refused nothing there but to bring roots', async () => {
  const pair = await createMeshes();
  await untilDelivered(pair.mesh);
  const { istiod, end } = await startIstiod(pair);
  try {
    await untilSynced(istiod);
    await untilLocked(istiod, pair.namespace);
    expect(await refusals(istiod)).toEqual([]);
  } finally {
    await end();
  }
});

test('an istiod that starts while that cluster is away waits, and reads it when it is back', async () => {
  const pair = await createMeshes();
  await untilDelivered(pair.mesh);
  await westCluster.cluster.stopServer('kube-apiserver');
  const { istiod, end } = await startIstiod(pair);
  try {
    await waitUntil({ what: 'istiod waits for it', explain: () => istiod.lastWords() }, async () =>
      (await istiod.log()).includes('waiting for sync'),
    );
  } finally {
    await westCluster.cluster.startServer('kube-apiserver');
    await untilSynced(istiod).finally(end);
  }
  await untilDelivered(pair.mesh);
});

test('whom remote-secret create makes the operator over there may do all of it', async () => {
  const { namespace, mesh } = await createMeshes();
  const resolved = resolveMesh((await mesh.read()) as unknown as MeshOperator);
  for (const object of renderOperatorAccess(resolved, true)) {
    await west.client.apply(object, { fieldManager: 'test', force: true }, never);
  }
  const account = operatorAccessName(resolved);
  const token = await west.cluster.kubectl('create', 'token', account, '-n', namespace);
  await untilDelivered(mesh);
  for (const id of readerIds(resolved, true)) await west.client.delete(id, {}, never);

  await putKubeconfig(namespace, await kubeconfigAs(west.cluster, { token: token.trim() }));
  await waitUntil({ what: 'all that istiod needs is there again' }, async () => {
    const found = await Promise.all(readerIds(resolved, true).map((id) => west.client.find(id, never)));
    return found.every((object) => object !== undefined);
  });
  await untilDelivered(mesh);
});

test('in its own cluster an istiod for another one may do nothing, and has no webhook', async () => {
  const { namespace, mesh } = await createMeshes();
  await untilDelivered(mesh);
  const lists = await Promise.all(
    ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding', 'ValidatingWebhookConfiguration'].map(
      (kind) => {
        const group = kind.endsWith('Configuration') ? 'admissionregistration' : 'rbac.authorization';
        const labelSelector = `meshoperator.dev/mesh-namespace=${namespace}`;
        return east.client.list(kindInfo(`${group}.k8s.io/v1`, kind), { labelSelector }, never);
      },
    ),
  );

  expect(lists.flatMap(({ items }) => items)).toEqual([]);
});

test('control planes for other clusters are beside each other in any namespaces, with one revision', async () => {
  const pairs = await Promise.all([createMeshes({ revision: 'blue' }), createMeshes({ revision: 'blue' })]);
  for (const { namespace } of pairs) {
    const id = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'istiod-blue' };
    await waitUntil({ what: `${namespace} has an istiod` }, async () => {
      return (await east.client.find(id, never)) !== undefined;
    });
  }
});

test('proxies of that cluster are told the address of istiod, and another one when it changes', async () => {
  const { namespace, mesh } = await createMeshes();
  const { revision = '' } = (await mesh.read()).spec as MeshOperatorSpec;
  await untilDelivered(mesh);
  const told = async () => {
    const found = await west.client.find(primaryConfigMapId(namespace, revision), never);
    return found === undefined ? [] : readPrimary(found).statement?.addresses;
  };
  for (const address of ['192.0.2.7', '192.0.2.8']) {
    await giveAddress(namespace, `istiod-${revision}-external`, address);
    await waitUntil({ what: `${address} is told` }, async () => {
      return JSON.stringify(await told()) === JSON.stringify([address]);
    });
  }
  await untilRemote(mesh, 'an address is there', ({ reason }) => reason !== 'GatewayPending');
});

async function giveAddress(namespace: string, service: string, ip: string): Promise<void> {
  const patch = JSON.stringify({ status: { loadBalancer: { ingress: [{ ip }] } } });
  const args = ['-n', namespace, '--subresource=status', '--type=merge', '-p', patch];
  await east.cluster.kubectl('patch', 'service', service, ...args);
}

// The operator lets four minutes pass: longer than a kubelet and istiod can take until they have read the other token.
test('another token is put into the file while the kubeconfig stays, and the one before is refused when istiod has read it', async () => {
  const pair = await createMeshes();
  const { namespace, mesh } = pair;
  await untilDelivered(mesh);
  const { istiod, writeToken, end } = await startIstiod(pair);
  try {
    await untilSynced(istiod);
    await untilLocked(istiod, namespace);
    const kubeconfig = await kubeconfigOf(pair);
    const before = await tokenInFile(namespace);
    const merge = { metadata: { annotations: { [rotateRemotesAnnotation]: 'now' } } };
    await east.client.patch(mesh.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
    await waitUntil({ what: 'there is another token' }, async () => {
      return (await tokenInFile(namespace)) !== before;
    });
    const after = await tokenInFile(namespace);
    await writeToken(after);
    const answersTo = (token: string) => mayListServices(identityIn(kubeconfig, 'config', token));

    expect((await kubeconfigOf(pair)).data).toEqual(kubeconfig.data);
    expect(await Promise.all([before, after].map(answersTo))).toEqual([true, true]);
    await waitUntil({ what: 'the one before is refused', limitMs: 480_000, intervalMs: 500 }, async () => {
      return (await answersTo(before)) === 'Unauthorized';
    });
    expect(await answersTo(after)).toBe(true);
    await untilRenewed(istiod, namespace);
    expect(await refusals(istiod)).toEqual([]);
  } finally {
    await end();
  }
}, 900_000);

test('nothing is left of a mesh that is deleted, in either cluster', async () => {
  const pair = await createMeshes();
  const { namespace, mesh } = pair;
  await untilDelivered(mesh);
  const name = await kubeconfigName(pair);
  const istiod = identityIn(await kubeconfigOf(pair), 'config', await tokenInFile(namespace));
  expect(await leftInWest(namespace)).not.toEqual([]);

  await mesh.delete();
  await mesh.untilGone();
  await waitUntil({ what: 'nothing is left' }, async () => {
    const id = { apiVersion: 'v1', kind: 'Secret', namespace };
    const here = await Promise.all(
      [name, 'istio-remote-tokens'].map((secret) => east.client.find({ ...id, name: secret }, never)),
    );
    return here.every((secret) => secret === undefined) && (await leftInWest(namespace)).length === 0;
  });
  await waitUntil({ what: 'its token is refused' }, async () => {
    return (await mayListServices(istiod)) === 'Unauthorized';
  });
});

/** All that the mesh has in `west` as istiod's: kind and name. */
async function leftInWest(namespace: string): Promise<string[]> {
  const rbac = 'rbac.authorization.k8s.io/v1';
  const kinds = [
    ...[kindInfo('v1', 'ServiceAccount'), kindInfo('v1', 'Secret')],
    ...['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'].map((kind) => kindInfo(rbac, kind)),
  ];
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const options = { labelSelector: 'meshoperator.dev/reader-of=east' };
      const { items } = await west.client.list(kind, options, never);
      return items
        .filter((object) => isOf(object, namespace))
        .map(({ metadata }) => `${kind.kind} ${metadata.name}`);
    }),
  );
  return lists.flat();
}

function isOf({ metadata }: KubernetesObject, namespace: string): boolean {
  return metadata.namespace === namespace || metadata.name.endsWith(`-${namespace}`);
}
