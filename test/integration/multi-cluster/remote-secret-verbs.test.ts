import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idOf, type KubernetesObject, type ObjectId } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import type { ResolvedRemote } from '../../../src/api/resolved-multi-cluster.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { type RemoteSecretCreateOptions, remoteSecretCreate } from '../../../src/cli/remote-secret-create.ts';
import { remoteSecretRevoke } from '../../../src/cli/remote-secret-revoke.ts';
import { remoteSecretRotate } from '../../../src/cli/remote-secret-rotate.ts';
import { AccessKeeper } from '../../../src/controllers/remotes/access-keeper.ts';
import { CredentialStore } from '../../../src/controllers/remotes/credential-store.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { connectRemote, type RemoteIdentity, readKubeconfig } from '../../../src/kube/remote-identity.ts';
import { readSecretText } from '../../../src/kube/secret-data.ts';
import { operatorAccessIds } from '../../../src/render/multicluster/operator-access.ts';
import { readerIds } from '../../../src/render/multicluster/reader.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { answerTo, RemoteCluster } from '../../support/remote-cluster.ts';
import { type CliRun, runCli } from '../../support/run-cli.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;
let west: RemoteCluster;

beforeAll(async () => {
  [world, west] = await Promise.all([MeshCluster.open('none'), RemoteCluster.start(uniqueName('west'))]);
  await world.startOperator();
});

afterAll(async () => {
  await world?.close();
  await west?.close();
});

/** Names of clusters belong to the whole of them. */
interface TestedMesh {
  readonly mesh: TestMesh;
  readonly namespace: string;
  readonly home: { readonly namespace: string; readonly clusterId: string };
}

/** A mesh without istiod that names no other cluster yet, and its namespace in both clusters. */
async function createMesh(multiCluster: Partial<MeshOperatorSpec['multiCluster']> = {}): Promise<TestedMesh> {
  const namespace = await world.ownNamespace();
  await west.createNamespace(namespace);
  const clusterId = uniqueName('east');
  const mesh = await world.createMesh(
    { profile: 'empty', multiCluster: { meshID: 'shop', clusterName: clusterId, ...multiCluster } },
    { namespace },
  );
  return { mesh, namespace, home: { namespace, clusterId } };
}

function clusters() {
  return { kubeconfig: world.cluster.kubeconfigPath, remoteKubeconfig: west.cluster.kubeconfigPath };
}

function create(
  { namespace }: Pick<TestedMesh, 'namespace'>,
  flags: Partial<RemoteSecretCreateOptions> = {},
): Promise<CliRun> {
  const options = { ...clusters(), namespace, lifetime: '720h', output: 'text', ...flags } as const;
  return runCli((terminal) => remoteSecretCreate('mesh', 'west', options, terminal));
}

function revoke({ namespace }: TestedMesh, stdin: string): Promise<CliRun> {
  const options = { ...clusters(), namespace };
  return runCli((terminal) => remoteSecretRevoke('mesh', 'west', options, terminal), stdin);
}

async function accessSecret({ namespace }: TestedMesh): Promise<KubernetesObject | undefined> {
  return world.client.find({ apiVersion: 'v1', kind: 'Secret', namespace, name: 'cluster-west' }, never);
}

async function identityOf(tested: TestedMesh): Promise<RemoteIdentity> {
  const secret = (await accessSecret(tested)) as KubernetesObject;
  return readKubeconfig(readSecretText(secret, 'kubeconfig') ?? '', 'the Secret');
}

/** What there is in the other cluster of whom the operator, or istiod, is there. */
async function leftInWest({ home }: TestedMesh): Promise<string[]> {
  const ids = [...operatorAccessIds(home), ...readerIds(home, true)];
  const found = await Promise.all(ids.map((id) => west.client.find(id, never)));
  return found.filter((object) => object !== undefined).map((object) => idOf(object).kind);
}

/** There is no istiod that reads it. */
async function untilConnected({ mesh }: TestedMesh): Promise<void> {
  await mesh.untilStatus(
    'may read the other cluster',
    ({ remotes = [] }) => remotes[0]?.state === 'Ready' && remotes[0].reason === 'IstiodNotReady',
  );
}

const canGet = { verb: 'get', group: '', resource: 'namespaces' };

test('create lets the operator in with the rights that it needs and no others, and names the cluster where asked to', async () => {
  const tested = await createMesh();
  const { code, stdout, stderr } = await create(tested, { add: true });

  await untilConnected(tested);
  const identity = await identityOf(tested);
  const { token } = identity.credential as { readonly token: string };
  const rbac = 'rbac.authorization.k8s.io';
  const answers = await answerTo(identity, (client) =>
    Promise.all(
      [
        canGet,
        { verb: 'delete', group: '', resource: 'secrets', namespace: 'kube-system' },
        { verb: 'patch', group: rbac, resource: 'clusterroles', name: 'cluster-admin' },
        { verb: 'bind', group: rbac, resource: 'clusterroles', name: 'cluster-admin' },
        { verb: 'create', group: '', resource: 'pods', namespace: tested.namespace },
      ].map((right) => client.mayI(right, never)),
    ),
  );
  expect([code, answers]).toEqual([0, [true, false, false, false, false]]);
  expect(`${stdout}${stderr}`).not.toContain(token);
  expect((await tested.mesh.read()).spec).toMatchObject({
    multiCluster: { remotes: [{ clusterName: 'west', kubeconfig: { secretName: 'cluster-west' } }] },
  });
});

test('create lets nobody who has its Secret give himself more, by the role of the reader that he may write', async () => {
  const tested = await createMesh();
  await create(tested, { add: true });
  await untilConnected(tested);
  const identity = await identityOf(tested);
  const [binding, role] = readerIds(tested.home, false) as [ObjectId, ObjectId];
  const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
  const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: tested.namespace }];
  const admin = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
  const apply = ({ apiVersion, kind, name }: ObjectId, content: object) => {
    const object = { apiVersion, kind, metadata: { name }, ...content };
    return answerTo(identity, (client) => client.apply(object, { fieldManager: 'test', force: true }, never));
  };
  await west.client.delete(binding, {}, never);

  const answers = [
    await apply(role, { rules: everything }),
    await apply(binding, { roleRef: admin, subjects }),
  ];

  expect(answers).toEqual(['Forbidden', 'Forbidden']);
});

test('create prints what the spec needs, and called again brings a token that is used', async () => {
  const tested = await createMesh();
  const first = await create(tested);
  const entry = load(first.stdout) as object[];
  await tested.mesh.change({ multiCluster: { remotes: entry } });
  await untilConnected(tested);
  const before = await identityOf(tested);

  const second = await create(tested);

  expect(entry).toEqual([{ clusterName: 'west', kubeconfig: { secretName: 'cluster-west' } }]);
  expect(second).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('names west already'),
  });
  expect(await identityOf(tested)).not.toEqual(before);
  await untilConnected(tested);
});

test('create writes nothing in a dry run, and the Secret nowhere but to the output that asks for it', async () => {
  const tested = await createMesh();

  const text = await create(tested, { dryRun: true });
  const objects = await create(tested, { dryRun: true, output: 'yaml' });
  const before = await leftInWest(tested);
  const secret = await create(tested, { output: 'json' });

  expect(text.stdout).toContain(`In west: ServiceAccount ${tested.namespace}/mesh-operator-`);
  const kinds = (load(objects.stdout) as { items: KubernetesObject[] }).items.map(({ kind }) => kind);
  expect(kinds).toEqual(['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']);
  expect(before).toEqual([]);
  expect(JSON.parse(secret.stdout)).toMatchObject({ kind: 'Secret', metadata: { name: 'cluster-west' } });
  expect(await accessSecret(tested)).toBeUndefined();
  expect(await leftInWest(tested)).toHaveLength(5);
});

test('create warns of an address that only this machine knows the other cluster by', async () => {
  const tested = await createMesh();

  const local = await create(tested, { dryRun: true, server: 'https://127.0.0.1:6443/' });
  const elsewhere = await create(tested, { dryRun: true, server: 'https://west.example.com:6443' });

  expect(local.code).toBe(0);
  expect(local.stderr).toContain('Warning: https://127.0.0.1:6443 is an address of each machine for itself');
  expect(local.stderr).toContain('Give one that they reach with --server');
  expect(elsewhere.stderr).not.toContain('Warning');
});

test('create does nothing where the cluster is this one, lacks the namespace, or the Secret is somebody else’s', async () => {
  const tested = await createMesh();
  const { namespace } = tested;
  const itself = await create(tested, { remoteKubeconfig: world.cluster.kubeconfigPath });
  const homeless = { namespace: await world.ownNamespace() };
  await world.createMesh(
    { profile: 'empty', multiCluster: { meshID: 'shop', clusterName: 'east' } },
    homeless,
  );
  const without = await create(homeless);
  const metadata = { name: 'cluster-west', namespace };
  await world.client.create({ apiVersion: 'v1', kind: 'Secret', metadata }, { fieldManager: 'test' }, never);
  const taken = await create(tested);

  expect([itself, without, taken].map(({ code, stderr }) => [code, stderr])).toEqual([
    [1, expect.stringContaining('is this cluster itself: name another one')],
    [1, expect.stringContaining(`west has no namespace ${homeless.namespace}`)],
    [1, expect.stringContaining(`Secret ${namespace}/cluster-west is somebody else's`)],
  ]);
  expect(await leftInWest(tested)).toEqual([]);
});

test('rotate asks for another token for one cluster, and waits until the one before is refused', async () => {
  const tested = await createMesh();
  await create(tested, { add: true });
  await untilConnected(tested);
  const issuedAt = async () => (await tested.mesh.status()).remotes?.[0]?.credential?.issuedAt;
  const before = await issuedAt();
  const options = { kubeconfig: world.cluster.kubeconfigPath, namespace: tested.namespace };

  const unknown = await runCli((terminal) =>
    remoteSecretRotate('mesh', { ...options, cluster: 'north' }, terminal),
  );
  const { code, stdout } = await runCli((terminal) =>
    remoteSecretRotate('mesh', { ...options, cluster: 'west', wait: true }, terminal),
  );

  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('no cluster north, but west') });
  expect(code).toBe(0);
  expect(stdout).toMatch(/west: replaced; the credential of before is refused\n$/);
  expect(await issuedAt()).not.toBe(before);
});

test('revoke takes back what create made when the mesh no longer names the cluster, and asks first', async () => {
  const tested = await createMesh();
  await create(tested, { add: true });
  await untilConnected(tested);
  const identity = await identityOf(tested);

  const named = await revoke(tested, 'west\n');
  await tested.mesh.change({ multiCluster: { remotes: null } });
  await waitUntil({ what: 'the operator has removed the reader' }, async () => {
    return (await leftInWest(tested)).length === operatorAccessIds(tested.home).length;
  });
  const declined = await revoke(tested, 'no\n');
  const before = await leftInWest(tested);
  const agreed = await revoke(tested, 'west\n');

  expect(named).toMatchObject({ code: 1, stderr: expect.stringContaining('still names west: take it out') });
  expect(declined).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was done.') });
  expect(before).toHaveLength(5);
  expect(agreed.code).toBe(0);
  expect(await leftInWest(tested)).toEqual([]);
  expect(await accessSecret(tested)).toBeUndefined();
  await waitUntil({ what: 'its token is refused' }, async () => {
    return (await answerTo(identity, (client) => client.mayI(canGet, never))) === 'Unauthorized';
  });
});

test('revoke leaves the operator in while that has something to remove there', async () => {
  const tested = await createMesh();
  await create(tested);
  const [binding] = readerIds(tested.home, false);
  const { apiVersion = '', kind = '', name = '' } = binding ?? {};
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
  await west.client.create(
    { apiVersion, kind, metadata: { name }, roleRef },
    { fieldManager: 'test' },
    never,
  );

  const { code, stderr } = await revoke(tested, 'west\n');

  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining(`(ClusterRoleBinding ${name}), and could not any more`),
  ]);
  expect(await leftInWest(tested)).toHaveLength(6);
});

test('what create made is renewed by the operator when half of its life is over, so that it never ends', async () => {
  const tested = await createMesh();
  await create(tested, { lifetime: '10m' });
  const before = await identityOf(tested);
  const remotes = [{ clusterName: 'west', kubeconfig: { secretName: 'cluster-west' } }];
  const multiCluster = { meshID: 'shop', clusterName: tested.home.clusterId, remotes };
  const mesh = resolveMesh(aMeshOperator({ multiCluster }, tested.mesh.key));
  const [remote] = mesh.multiCluster?.remotes ?? [];
  const clock = new FakeClock(new Date().toISOString());
  const deps = { client: world.client, clock, random: Math.random, log: recordingLog().log };
  const keeper = new AccessKeeper({ ...deps, store: new CredentialStore(operatorNamespace, deps) });
  const keep = async (identity: RemoteIdentity) => {
    const connection = connectRemote(identity, systemClock);
    const client = new KubeClient({ connection, clock: systemClock });
    const secret = (await accessSecret(tested)) as KubernetesObject;
    const pass = {
      mesh,
      owner: await tested.mesh.read(),
      remote: remote as ResolvedRemote,
      request: undefined,
    };
    const key = { mesh: tested.mesh.key, clusterName: 'west' };
    await keeper.keep({ ...pass, key, signal: never }, { identity, secret, client });
    await connection.close();
    return identityOf(tested);
  };

  const early = await keep(before);
  await clock.advance(5 * 60_000 + 1_000);
  const renewed = await keep(before);

  expect(early).toEqual(before);
  expect(renewed).toEqual({ ...before, credential: { token: expect.any(String) } });
  expect(renewed).not.toEqual(before);
  expect(await answerTo(renewed, (client) => client.mayI(canGet, never))).toBe(true);
});
