import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { idOf, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { rotateRemotesAnnotation } from '../../../src/api/labels.ts';
import type { MeshOperator } from '../../../src/api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import type { RemoteStatus } from '../../../src/api/mesh-operator-status.ts';
import type { PolicyRule } from '../../../src/api/policy-rule.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import type { Remote } from '../../../src/api/spec/multi-cluster.ts';
import { renderOperatorAccess } from '../../../src/render/multicluster/operator-access.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { AuditLog, requestText } from '../../support/audit-log.ts';
import { makeAuthority } from '../../support/given-authority.ts';
import { kubeconfigAs } from '../../support/kubeconfig-as.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { answerTo, identityIn, mayListServices, RemoteCluster } from '../../support/remote-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;
let west: RemoteCluster;
let operator: RunningOperator;

beforeAll(async () => {
  [world, west] = await Promise.all([MeshCluster.open('none'), RemoteCluster.start(uniqueName('west'))]);
  operator = await world.startOperator();
});

afterAll(async () => {
  await world?.close();
  await west?.close();
});

/** A mesh without istiod, whose other cluster is `west`, and the namespace that it has in both. */
async function createMesh(
  remote: Partial<Remote> = {},
  kubeconfig?: string,
  spec: MeshOperatorSpec = {},
): Promise<{ readonly mesh: TestMesh; readonly namespace: string }> {
  const namespace = await world.ownNamespace();
  await west.createNamespace(namespace);
  await putKubeconfig(namespace, kubeconfig ?? (await west.kubeconfig()));
  const mesh = await world.createMesh(
    {
      profile: 'empty',
      multiCluster: {
        ...{ meshID: 'shop', clusterName: 'east' },
        remotes: [{ clusterName: 'west', kubeconfig: { secretName: 'west' }, ...remote }],
      },
      ...spec,
    },
    { namespace },
  );
  return { mesh, namespace };
}

async function putKubeconfig(namespace: string, text: string): Promise<void> {
  const data = { kubeconfig: Buffer.from(text).toString('base64') };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'west', namespace }, data };
  await world.client.apply(secret, { fieldManager: 'test', force: true }, never);
}

/** A token of an admin's ServiceAccount `operator` in a namespace of its own. */
async function adminToken(home = uniqueName('home')): Promise<string> {
  await west.createNamespace(home);
  await west.cluster.kubectl('create', 'serviceaccount', 'operator', '-n', home);
  await west.cluster.kubectl(
    ...['create', 'clusterrolebinding', home, '--clusterrole=cluster-admin'],
    `--serviceaccount=${home}:operator`,
  );
  return (await west.cluster.kubectl('create', 'token', 'operator', '-n', home)).trim();
}

async function askForTokens(mesh: TestMesh): Promise<void> {
  const merge = { metadata: { annotations: { [rotateRemotesAnnotation]: 'now' } } };
  await world.client.patch(mesh.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
}

async function untilRemote(
  mesh: TestMesh,
  what: string,
  holds: (remote: RemoteStatus) => boolean,
): Promise<RemoteStatus> {
  let found: RemoteStatus | undefined;
  await mesh.untilStatus(what, ({ remotes = [] }) => {
    found = remotes[0];
    return found !== undefined && holds(found);
  });
  return found as RemoteStatus;
}

/** There is no istiod that reads it. */
const untilReady = (mesh: TestMesh) =>
  untilRemote(
    mesh,
    'the other cluster may be read',
    ({ state, reason }) => state === 'Ready' && reason === 'IstiodNotReady',
  );

function secretId(namespace: string) {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name: 'istio-remote-secret-west' };
}

async function remoteSecret(namespace: string): Promise<KubernetesObject> {
  return world.client.get(secretId(namespace), never);
}

const readerKinds = ['ServiceAccount', 'Secret', 'ClusterRole', 'ClusterRoleBinding'] as const;

/** All that the mesh has in the other cluster: kind and name. */
async function leftInWest(namespace: string): Promise<string[]> {
  const lists = await Promise.all(
    readerKinds.map(async (kind) => {
      const apiVersion = kind.startsWith('Cluster') ? 'rbac.authorization.k8s.io/v1' : 'v1';
      const scope = kind.startsWith('Cluster') ? {} : { namespace };
      const options = { ...scope, labelSelector: 'meshoperator.dev/reader-of=east' };
      const { items } = await west.client.list(kindInfo(apiVersion, kind), options, never);
      return items
        .filter(({ metadata }) => !kind.startsWith('Cluster') || metadata.name.endsWith(namespace))
        .map(({ metadata }) => `${kind} ${metadata.name}`);
    }),
  );
  return lists.flat();
}

describe('another cluster of a mesh', () => {
  test('becomes known to istiod by a Secret with a token that ends, of a reader that may only read', async () => {
    const { mesh, namespace } = await createMesh();
    const { credential, kubernetesVersion } = await untilReady(mesh);
    const secret = await remoteSecret(namespace);
    expect(secret.metadata.labels?.['istio/multiCluster']).toBe('true');
    expect(Object.keys(secret.data as object)).toEqual(['west']);
    const identity = identityIn(secret, 'west');
    const answers = await answerTo(identity, async (client) => ({
      services: await client.mayI({ verb: 'list', group: '', resource: 'services' }, never),
      reviews: await client.mayI(
        { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' },
        never,
      ),
      pods: await client.mayI({ verb: 'create', group: '', resource: 'pods', namespace }, never),
      secrets: await client.mayI({ verb: 'delete', group: '', resource: 'secrets', namespace }, never),
    }));
    expect(answers).toEqual({ services: true, reviews: true, pods: false, secrets: false });
    const lifeMs = Date.parse(credential?.expiresAt ?? '') - Date.parse(credential?.issuedAt ?? '');
    expect(lifeMs / 3_600_000).toBeCloseTo(24, 1);
    expect(kubernetesVersion).toMatch(/^v1\.\d+/);
    expect((await mesh.condition('RemotesReady'))?.status).toBe('True');
  });

  test('gets another token when somebody asks, and refuses the one before', async () => {
    const { mesh, namespace } = await createMesh();
    await untilReady(mesh);
    const before = identityIn(await remoteSecret(namespace), 'west');
    await askForTokens(mesh);
    await waitUntil({ what: 'istiod has another token', intervalMs: 100 }, async () => {
      return JSON.stringify(identityIn(await remoteSecret(namespace), 'west')) !== JSON.stringify(before);
    });
    const after = identityIn(await remoteSecret(namespace), 'west');
    await waitUntil({ what: 'the token of before is refused', intervalMs: 200 }, async () => {
      expect(await mayListServices(after)).toBe(true);
      return (await mayListServices(before)) === 'Unauthorized';
    });
    await untilReady(mesh);
    expect((await leftInWest(namespace)).filter((name) => name.startsWith('Secret'))).toHaveLength(1);
  });

  test('is said to be read while a replica of istiod is Ready, and no longer', async () => {
    const { mesh, namespace } = await createMesh({}, undefined, { profile: 'minimal' });
    const before = await untilReady(mesh);
    const pod = await runningReplica(await istiodDeployment(namespace));
    const during = await untilRemote(mesh, 'it is read', ({ reason }) => reason === 'Connected');
    await world.cluster.kubectl('delete', 'pod', pod.metadata.name, '-n', namespace, '--force');
    await untilReady(mesh);
    await world.cluster.kubectl('delete', 'node', namespace);

    expect(before.message).toContain('no replica of istiod is Ready');
    expect([during.state, during.message]).toEqual(['Ready', 'istiod reads it']);
    expect(during.since).toBe(before.since);
  });

  test('has its Secret put back as it was when somebody edits or deletes it', async () => {
    const { mesh, namespace } = await createMesh();
    await untilReady(mesh);
    const { data } = await remoteSecret(namespace);
    const isAsBefore = async () => {
      const secret = await world.client.find(secretId(namespace), never);
      return JSON.stringify(secret?.data) === JSON.stringify(data);
    };
    await world.client.delete(secretId(namespace), {}, never);
    await waitUntil({ what: 'the Secret is there again', intervalMs: 100 }, isAsBefore);
    const merge = { data: { west: Buffer.from('nonsense').toString('base64') } };
    await world.client.patch(secretId(namespace), { type: 'merge', merge }, { fieldManager: 'test' }, never);
    await waitUntil({ what: 'the Secret is as before', intervalMs: 100 }, isAsBefore);
  });

  test('lets istiod read it again when somebody has taken rights from the reader', async () => {
    const { mesh, namespace } = await createMesh();
    await untilReady(mesh);
    const reader = identityIn(await remoteSecret(namespace), 'west');
    const mayRead = () => mayListServices(reader);
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', name: `istio-reader-east-${namespace}` };
    const takings = [
      () => {
        const merge = { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }] };
        const role = { ...rbac, kind: 'ClusterRole' };
        return west.client.patch(role, { type: 'merge', merge }, { fieldManager: 'test' }, never);
      },
      () => west.client.delete({ ...rbac, kind: 'ClusterRoleBinding' }, {}, never),
    ];
    for (const take of takings) {
      await take();
      const options = { intervalMs: 100 };
      await waitUntil({ what: 'it may not read', ...options }, async () => (await mayRead()) === false);
      // The Secret is read anew, and so is the cluster.
      await putKubeconfig(namespace, await kubeconfigAs(west.cluster, { token: await adminToken() }));
      await waitUntil({ what: 'it may read', ...options }, async () => (await mayRead()) === true);
    }

    expect(identityIn(await remoteSecret(namespace), 'west')).toEqual(reader);
  });

  test('keeps nothing of a mesh that names it no more, or is deleted', async () => {
    for (const end of ['named no more', 'deleted'] as const) {
      const { mesh, namespace } = await createMesh();
      await untilReady(mesh);
      const identity = identityIn(await remoteSecret(namespace), 'west');
      if (end === 'deleted') await mesh.delete();
      else await mesh.change({ multiCluster: { remotes: [] } });
      await waitUntil({ what: `it is ${end}`, intervalMs: 100 }, async () => {
        const secret = await world.client.find(secretId(namespace), never);
        return secret === undefined && (await leftInWest(namespace)).length === 0;
      });
      await waitUntil({ what: 'its token is refused', intervalMs: 200 }, async () => {
        return (await mayListServices(identity)) === 'Unauthorized';
      });
      const name = `${namespace}.mesh.remote.west`;
      await waitUntil({ what: 'nothing is remembered', intervalMs: 100 }, async () => {
        const id = { apiVersion: 'v1', kind: 'Secret', namespace: operatorNamespace, name };
        return (await world.client.find(id, never)) === undefined;
      });
    }
  });

  test('is asked little each minute, and what it says of its trust by a watch alone', async () => {
    const home = uniqueName('home');
    const kubeconfig = await kubeconfigAs(west.cluster, { token: await adminToken(home) });
    const { mesh, namespace } = await createMesh({}, kubeconfig);
    await untilReady(mesh);
    const log = new AuditLog(west.cluster);
    await log.restart();
    const expected = [
      'get configmaps istio-ca-root-cert',
      'get namespaces kube-system',
      'list meshoperators',
    ];
    const askedBy = async (account: string) => {
      const requests = await log.requestsOf(`system:serviceaccount:${account}`);
      return requests.filter(({ verb, resource }) => verb !== 'watch' && resource !== '').map(requestText);
    };
    const ofReader = await waitUntil({ what: 'it is asked again', intervalMs: 1_000 }, async () => {
      const requests = await askedBy(`${namespace}:istio-reader-east`);
      return requests.length > 0 ? requests : undefined;
    });

    expect((await askedBy(`${home}:operator`)).sort()).toEqual(expected);
    expect(ofReader).toEqual(['create selfsubjectrulesreviews']);
  });

  test('is of one mesh of a namespace alone, until that lets go of it', async () => {
    const { mesh, namespace } = await createMesh();
    await untilReady(mesh);
    const { data } = await remoteSecret(namespace);
    const remotes = [{ clusterName: 'west', kubeconfig: { secretName: 'west' } }];
    const multiCluster = { meshID: 'shop', clusterName: 'east', remotes };
    const second = await world.createMesh({ profile: 'empty', multiCluster }, { namespace, name: 'second' });
    await second.until('Stalled');
    const refusal = await second.condition('Stalled');
    const during = await remoteSecret(namespace);
    await mesh.change({ multiCluster: { remotes: [] } });
    await untilReady(second);

    expect(refusal?.message).toContain(`cluster west is a remote of MeshOperator ${namespace}/mesh already`);
    expect(during.data).toEqual(data);
    expect((await remoteSecret(namespace)).metadata.labels).toMatchObject({
      'meshoperator.dev/mesh': 'second',
    });
    expect(await leftInWest(namespace)).toHaveLength(4);
  });

  test('gives a token without an end where the spec says so by name', async () => {
    const { mesh, namespace } = await createMesh({ credential: { type: 'LongLived' } });
    const { credential } = await untilReady(mesh);
    expect(credential?.expiresAt).toBeUndefined();
    const identity = identityIn(await remoteSecret(namespace), 'west');
    expect(await mayListServices(identity)).toBe(true);
  });

  test('is reached by istiod at another address than by the operator where the spec has one', async () => {
    const { mesh, namespace } = await createMesh({
      ...{ server: 'https://west.example.com:6443/', proxyURL: undefined },
      tlsServerName: 'kubernetes',
    });
    await untilReady(mesh);
    expect(identityIn(await remoteSecret(namespace), 'west')).toMatchObject({
      ...{ server: 'https://west.example.com:6443', tlsServerName: 'kubernetes' },
    });
  });
});

/** The token in the Secret that istiods mount. */
async function tokenInFile(namespace: string): Promise<string | undefined> {
  const id = { apiVersion: 'v1', kind: 'Secret', namespace, name: 'istio-remote-tokens' };
  const data = (await world.client.find(id, never))?.data as Record<string, string> | undefined;
  return data?.west === undefined ? undefined : Buffer.from(data.west, 'base64').toString();
}

describe('another cluster of a mesh whose istiod loses endpoints with each other kubeconfig', () => {
  test('gets another token in a file, and none that may still be used is taken back', async () => {
    const { mesh, namespace } = await createMesh({}, undefined, { version: '1.30' });
    await untilReady(mesh);
    const { data } = await remoteSecret(namespace);
    const identity = identityIn(await remoteSecret(namespace), 'west', await tokenInFile(namespace));
    const before = await tokenInFile(namespace);
    await askForTokens(mesh);
    const { state } = await untilRemote(mesh, 'it gets one', ({ reason }) => reason === 'Delivering');
    const after = await tokenInFile(namespace);

    expect(state).toBe('Ready');
    expect(after).not.toBe(before);
    expect((await remoteSecret(namespace)).data).toEqual(data);
    for (const token of [before, after]) {
      const whom = { ...identity, credential: { token: token ?? '' } };
      expect(await mayListServices(whom)).toBe(true);
    }
  });

  test('leaves no file behind when it is named no more', async () => {
    const { mesh, namespace } = await createMesh({}, undefined, { version: '1.29' });
    await untilReady(mesh);
    expect(await tokenInFile(namespace)).toBeDefined();
    await mesh.change({ multiCluster: { remotes: [] } });
    await waitUntil({ what: 'the file is gone', intervalMs: 100 }, async () => {
      return (await tokenInFile(namespace)) === undefined;
    });
  });

  test('has replicas start anew when it gets another kubeconfig nevertheless', async () => {
    const { mesh, namespace } = await createMesh({}, undefined, { version: '1.30', profile: 'minimal' });
    await untilReady(mesh);
    const pod = await runningReplica(await istiodDeployment(namespace));
    const remote = { clusterName: 'west', kubeconfig: { secretName: 'west' } };
    await mesh.change({ multiCluster: { remotes: [{ ...remote, tlsServerName: 'kubernetes' }] } });
    const { state } = await untilRemote(
      mesh,
      'replicas are replaced',
      ({ reason }) => reason === 'RestartingIstiod',
    );
    await waitUntil({ what: 'the Deployment is restarted', intervalMs: 100 }, async () => {
      return restartOf(await istiodDeployment(namespace)) !== undefined;
    });
    expect(state).toBe('Progressing');
    expect(identityIn(await remoteSecret(namespace), 'west', 'any').tlsServerName).toBe('kubernetes');

    await world.cluster.kubectl('delete', 'pod', pod.metadata.name, '-n', namespace, '--force');
    await world.cluster.kubectl('delete', 'node', namespace);
    await untilReady(mesh);
  });
});

async function istiodDeployment(namespace: string): Promise<KubernetesObject> {
  const kind = kindInfo('apps/v1', 'Deployment');
  const options = { namespace, labelSelector: 'app=istiod' };
  return waitUntil({ what: 'istiod has a Deployment', intervalMs: 100 }, async () => {
    return (await world.client.list(kind, options, never)).items[0];
  });
}

function templateOf({ spec }: KubernetesObject): KubernetesObject {
  return (spec as { template: KubernetesObject }).template;
}

function restartOf(deployment: KubernetesObject): string | undefined {
  return templateOf(deployment).metadata.annotations?.['meshoperator.dev/remote-restart'];
}

/** A pod as the Deployment would make one, on a node of its own whose kubelet does not answer. */
async function runningReplica(deployment: KubernetesObject): Promise<KubernetesObject> {
  const { name, namespace } = deployment.metadata;
  const { metadata: template, spec: pods } = templateOf(deployment);
  const { labels } = template;
  const spec = {
    ...{ nodeName: namespace, containers: [{ name: 'discovery', image: 'istiod' }] },
    serviceAccountName: (pods as { serviceAccountName: string }).serviceAccountName,
  };
  const metadata = { name: `${name}-1`, namespace, labels };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec } as KubernetesObject;
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: namespace ?? '' } };
  await world.client.create(node, { fieldManager: 'test' }, never);
  await world.client.create(pod, { fieldManager: 'test' }, never);
  const options = { fieldManager: 'test', subresource: 'status' } as const;
  const conditions = [{ type: 'Ready', status: 'True' }];
  const merge = { status: { phase: 'Running', conditions } };
  return world.client.patch(idOf(pod), { type: 'merge', merge }, options, never);
}

/** Makes in the other cluster whom `remote-secret create` makes the operator, and gives its ClusterRole. */
async function createAccess(mesh: TestMesh): Promise<KubernetesObject> {
  const objects = renderOperatorAccess(resolveMesh((await mesh.read()) as unknown as MeshOperator), false);
  for (const object of objects) await west.client.create(object, { fieldManager: 'test' }, never);
  return objects.find(({ kind }) => kind === 'ClusterRole') as KubernetesObject;
}

/** Lets the operator in by another token of that. */
async function putAccess(namespace: string): Promise<void> {
  const token = await west.cluster.kubectl('create', 'token', 'mesh-operator-east', '-n', namespace);
  await putKubeconfig(namespace, await kubeconfigAs(west.cluster, { token: token.trim() }));
}

async function setRules(role: KubernetesObject, rules: readonly PolicyRule[]): Promise<void> {
  await west.client.patch(idOf(role), { type: 'merge', merge: { rules } }, { fieldManager: 'test' }, never);
}

/** Without most of what the reader reads. */
function withoutReader({ rules }: KubernetesObject): PolicyRule[] {
  return (rules as PolicyRule[]).filter(
    ({ resourceNames, verbs }) => resourceNames !== undefined || !verbs.includes('watch'),
  );
}

describe('a way into another cluster that does not lead there', () => {
  test.each([
    {
      what: 'leads to this cluster itself',
      kubeconfig: () => readFile(world.cluster.kubeconfigPath, 'utf8'),
      reason: 'OwnCluster',
      says: 'is this cluster itself',
    },
    {
      what: 'runs a program',
      kubeconfig: () => kubeconfigAs(west.cluster, { exec: { command: 'true' } }),
      reason: 'InvalidKubeconfig',
      says: 'user.exec: must not be used',
    },
    {
      what: 'is no kubeconfig',
      kubeconfig: async () => 'hello',
      reason: 'InvalidKubeconfig',
      says: 'Secret ',
    },
  ])('is said so when it $what, and nothing is made', async ({ kubeconfig, reason, says }) => {
    const { mesh, namespace } = await createMesh({}, await kubeconfig());
    const status = await untilRemote(mesh, `is refused for ${reason}`, (remote) => remote.reason === reason);
    expect(status.state).toBe('Refused');
    expect(status.message).toContain(says);
    expect(await world.client.find(secretId(namespace), never)).toBeUndefined();
    expect(await leftInWest(namespace)).toEqual([]);
    await putKubeconfig(namespace, await west.kubeconfig());
    await untilReady(mesh);
  });

  test('is said so when the spec names the cluster before, and the first name counts', async () => {
    const { mesh, namespace } = await createMesh();
    await untilReady(mesh);
    const named = ['west', 'north'].map((clusterName) => ({
      clusterName,
      kubeconfig: { secretName: 'west' },
    }));
    await mesh.change({ multiCluster: { remotes: named } });

    await mesh.untilStatus('names the second one', ({ remotes = [] }) =>
      remotes.some(({ clusterName, reason }) => clusterName === 'north' && reason === 'SameCluster'),
    );
    await untilReady(mesh);
    expect(
      await world.client.find({ ...secretId(namespace), name: 'istio-remote-secret-north' }, never),
    ).toBeUndefined();
  });

  test('is said so when it grants too little, with what is missing', async () => {
    const home = uniqueName('home');
    await west.createNamespace(home);
    const user = await west.createUser(home, 'visitor');
    await west.cluster.kubectl(
      'create',
      'clusterrolebinding',
      home,
      '--clusterrole=view',
      `--serviceaccount=${home}:visitor`,
    );
    const token = await west.cluster.kubectl('create', 'token', 'visitor', '-n', home);
    const kubeconfig = await kubeconfigAs(west.cluster, { token: token.trim() });
    const { mesh, namespace } = await createMesh({}, kubeconfig);
    const status = await untilRemote(mesh, 'rights are missing', ({ state }) => state !== 'Progressing');
    expect(status.state).toBe('Refused');
    expect(status.message).toMatch(/serviceaccounts|meshoperators/);
    expect(await leftInWest(namespace)).toEqual([]);
    await user.close();
  });

  test('is good where the operator may write any role of the reader, though it has not itself what that reads', async () => {
    const { mesh, namespace } = await createMesh({ kubeconfig: { secretName: 'later' } });
    const role = await createAccess(mesh);
    await setRules(role, withoutReader(role));
    await putAccess(namespace);
    const kubeconfig = { secretName: 'west' };
    await mesh.change({ multiCluster: { remotes: [{ clusterName: 'west', kubeconfig }] } });
    const missing = await untilRemote(mesh, 'rights are missing', ({ reason }) => reason === 'RightsMissing');
    const anyway: PolicyRule = {
      apiGroups: ['rbac.authorization.k8s.io'],
      ...{ resources: ['clusterroles'], resourceNames: [`istio-reader-east-${namespace}`] },
      verbs: ['escalate', 'bind'],
    };
    await setRules(role, [...withoutReader(role), anyway]);
    await untilReady(mesh);

    expect(missing.state).toBe('Refused');
    expect(missing.message).toContain('let the operator get, list, watch *.config.istio.io in the cluster');
  });

  test('is read on with new tokens when the operator may do too little there, as after an update, and the command is named', async () => {
    const { mesh, namespace } = await createMesh({ kubeconfig: { secretName: 'later' } });
    const role = await createAccess(mesh);
    await putAccess(namespace);
    const kubeconfig = { secretName: 'west' };
    await mesh.change({ multiCluster: { remotes: [{ clusterName: 'west', kubeconfig }] } });
    const { credential } = await untilReady(mesh);
    await setRules(role, withoutReader(role));
    await putAccess(namespace);
    const missing = await untilRemote(mesh, 'rights are missing', ({ reason }) => reason === 'RightsMissing');
    await askForTokens(mesh);
    const later = await untilRemote(
      mesh,
      'it gets another token',
      (remote) => remote.reason === 'RightsMissing' && remote.credential?.issuedAt !== credential?.issuedAt,
    );
    await setRules(role, role.rules as PolicyRule[]);
    await putAccess(namespace);
    await untilReady(mesh);

    expect([missing.state, later.state]).toEqual(['Degraded', 'Degraded']);
    expect(missing.message).toContain(
      `mesh-operator remote-secret create mesh west -n ${namespace} --remote-context CONTEXT`,
    );
  });

  test('is read, and named as one that workloads are refused by, when it trusts none of our roots', async () => {
    const { mesh, namespace } = await createMesh();
    await untilReady(mesh);
    const [ours, theirs] = [await makeAuthority('ours'), await makeAuthority('theirs')];
    for (const [client, { rootPem }] of [
      [world.client, ours],
      [west.client, theirs],
    ] as const) {
      const metadata = { name: 'istio-ca-root-cert', namespace };
      const roots = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'root-cert.pem': rootPem } };
      await client.create(roots, { fieldManager: 'test' }, never);
    }
    // The Secret is read anew, and so is the cluster.
    await putKubeconfig(namespace, await kubeconfigAs(west.cluster, { token: await adminToken() }));
    const status = await untilRemote(mesh, 'its roots differ', ({ reason }) => reason === 'RootsDiffer');
    expect(status.state).toBe('Degraded');
    expect((await mesh.condition('RemotesReady'))?.reason).toBe('RemoteDegraded');
  });

  test('is said so when its token has been taken back, and is used again when there is another one', async () => {
    const home = uniqueName('home');
    const kubeconfig = await kubeconfigAs(west.cluster, { token: await adminToken(home) });
    await west.cluster.kubectl('delete', 'serviceaccount', 'operator', '-n', home);
    const { mesh, namespace } = await createMesh({}, kubeconfig);
    const status = await untilRemote(mesh, 'it is refused', ({ reason }) => reason === 'Unauthorized');
    expect([status.state, status.message]).toEqual([
      'Refused',
      'no longer accepts what Secret west holds: put a kubeconfig or token there that is valid',
    ]);
    await putKubeconfig(namespace, await west.kubeconfig());
    await untilReady(mesh);
  });

  test('is said so while its API server is down, and is used again when that is back', async () => {
    const { mesh, namespace } = await createMesh();
    await untilReady(mesh);
    const { data } = await remoteSecret(namespace);
    await west.cluster.stopServer('kube-apiserver');
    await askForTokens(mesh);
    const down = await untilRemote(mesh, 'it is unreachable', ({ state }) => state === 'Unreachable');
    expect(down.message).toContain('Cannot apply ServiceAccount');
    expect((await remoteSecret(namespace)).data).toEqual(data);
    await west.cluster.startServer('kube-apiserver');
    const { credential } = await untilReady(mesh);
    expect(Date.parse(credential?.issuedAt ?? '')).toBeGreaterThan(Date.parse(down.since));
  });

  test('is said so when its Secret or the namespace over there does not exist', async () => {
    const { mesh } = await createMesh({ kubeconfig: { secretName: 'absent' } });
    const status = await untilRemote(
      mesh,
      'the Secret is missed',
      ({ reason }) => reason === 'InvalidKubeconfig',
    );
    expect(status.message).toContain('does not exist: create it, or name another one');
  });
});

// The last: other tests need the operator.
test('an operator of a mesh with other clusters ends in order when it is told to', async () => {
  const { mesh } = await createMesh();
  await untilReady(mesh);

  expect(await operator.end('SIGTERM')).toBe(0);
});
