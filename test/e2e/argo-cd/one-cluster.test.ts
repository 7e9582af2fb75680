import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject, ObjectId } from '../../../src/api/kubernetes-object.ts';
import { type Cluster, startCluster } from '../../cluster/cluster.ts';
import { importImages, operatorNamespace, readManifest } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { type ApplicationStatus, ApplicationWatch, stateOf } from '../../support/application-watch.ts';
import { AskedRotation } from '../../support/asked-rotation.ts';
import { createExampleRepositories, type ExampleRepositories } from '../../support/example-repositories.ts';
import { gitopsHealthOf } from '../../support/gitops-health.ts';
import { listEverything } from '../../support/list-everything.ts';
import { RunningArgoCd } from '../../support/running-argo-cd.ts';
import { never, type TestClient, testClient } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';

/** How long the events of a mesh's life go on, at least once; seconds. */
const holdSeconds = Number(process.env.ARGO_CD_HOLD_SECONDS ?? 0);

const namespace = 'istio-system';
const applications = ['service-mesh', 'mesh-operator', 'mesh'] as const;
const istiod = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'istiod' };
const webhooksOf = (name: string) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  name,
});
const secretOf = (place: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: place,
  name,
});
/** Servers of webhooks: where their certificates are, and the webhooks whose bundle follows. */
const servers = {
  injector: {
    secret: secretOf(namespace, 'sidecar-injector-tls'),
    webhooks: webhooksOf(`istio-sidecar-injector-${namespace}`),
  },
  operator: {
    secret: secretOf(operatorNamespace, 'mesh-operator-admission-tls'),
    webhooks: webhooksOf(`mesh-operator-${operatorNamespace}`),
  },
} as const;

let cluster: Cluster;
let admin: TestClient;
let argoCd: RunningArgoCd;
let watch: ApplicationWatch;
let repositories: ExampleRepositories;
let mesh: TestMesh;
let before: string[];

beforeAll(async () => {
  cluster = await startCluster({ name: `argo-cd-${process.pid}`, nodes: 'kubelet' });
  admin = testClient(cluster.kubeconfigPath);
  await importImages(cluster, ['mesh-operator', 'istiod', 'proxyv2']);
  repositories = await createExampleRepositories('examples/argo-cd/one-cluster');
  argoCd = await RunningArgoCd.start(cluster);
  watch = await ApplicationWatch.start(cluster, admin.client);
  mesh = new TestMesh(admin.client, { namespace, name: 'mesh' });
  before = await listEverything(cluster);

  await cluster.apply(await repositories.meshes.read('root.yaml'));
});

afterAll(async () => {
  watch?.end();
  await argoCd?.remove();
  await repositories?.meshes.remove();
  await repositories?.operator.remove();
  await admin?.connection.close();
  await cluster?.stop();
});

describe('a root Application of examples/argo-cd/one-cluster', () => {
  test('becomes Synced and Healthy with the operator and the mesh that it brings', async () => {
    for (const name of applications) await watch.until(name, 'Synced/Healthy');

    const meshes = (await watch.statusOf('mesh')).resources?.filter(({ kind }) => kind === 'MeshOperator');
    expect(meshes).toMatchObject([
      { health: { status: 'Healthy', message: expect.stringMatching(/^All \d+ objects/) } },
    ]);
    await cluster.apply(await readManifest('test/cluster/stock-envoy.yaml'));
  });

  test('brings the mesh when the operator is Healthy, and the operator when the CRD is served', async () => {
    const operatorHealthy = watch.firstSeen(
      'mesh-operator',
      (status) => stateOf(status) === 'Synced/Healthy',
    );
    const meshThere = watch.firstSeen('mesh', () => true);

    expect(operatorHealthy).toBeGreaterThan(-1);
    expect(meshThere).toBeGreaterThan(operatorHealthy);
    const crd = await read('crd', 'meshoperators.meshoperator.dev');
    const deployment = await read('deployment', 'mesh-operator', operatorNamespace);
    expect(establishedAt(crd)).toBeLessThanOrEqual(Date.parse(String(deployment.metadata.creationTimestamp)));
  });

  test('owns no child of the mesh: they are the mesh’s, and have nothing of Argo CD', async () => {
    const objects = (await mesh.objects()).filter((object) => object !== undefined);

    expect(objects.length).toBeGreaterThan(20);
    const { uid } = (await mesh.read()).metadata;
    for (const { kind, metadata } of objects) {
      const { labels = {}, annotations = {}, ownerReferences = [] } = metadata;
      expect(Object.keys({ ...labels, ...annotations }).filter(isOfArgoCd), kind).toEqual([]);
      const owners = ownerReferences.map((owner) => owner.uid);
      expect(owners, `${kind} ${metadata.name}`).toEqual(metadata.namespace === namespace ? [uid] : []);
    }
  });

  test('follows an edit in git: Progressing until the mesh is what it says', async () => {
    const since = watch.now();

    await commitMesh(
      (text) =>
        `${text.replace('cpu: 50m, memory: 128Mi', 'cpu: 60m, memory: 128Mi')}  certificateAuthority: { rotation: { soak: 0s } }\n`,
    );

    await watch.until('mesh', 'Synced/Progressing', { since });
    await untilSettled(since);
    const { status } = await read('meshoperator', 'mesh', namespace);
    expect(status).toMatchObject({ observedGeneration: 2 });
    await expectVerdicts('Healthy', 'Current');
  });
});

describe('the life of a mesh', () => {
  test(
    'leaves every Application Synced and Healthy, and starts no sync',
    async () => {
      const states = async () => Promise.all(applications.map((name) => watch.statusOf(name)));
      const operationsOf = (found: readonly ApplicationStatus[]) =>
        found.map(({ operationState, history }) => [operationState?.startedAt, history?.length]);
      await refreshAll();
      await untilAllHealthy();
      const operations = operationsOf(await states());
      const since = watch.now();
      const start = performance.now();
      let round = 0;

      do {
        round += 1;
        await refreshAll();
        await (await AskedRotation.ask(mesh, `root/${round}`)).untilItEnds();
        await scaleIstiod(2);
        await renewServingCertificate(servers.injector);
        await renewServingCertificate(servers.operator);
        await scaleIstiod(1);
        await refreshAll();
      } while (performance.now() - start < holdSeconds * 1000);

      process.stdout.write(
        `${round} rounds of events in ${Math.round((performance.now() - start) / 1000)} s\n`,
      );
      for (const name of applications)
        expect(await watch.statesSince(since, name)).toEqual(['Synced/Healthy']);
      expect(operationsOf(await states())).toEqual(operations);
    },
    300_000 + holdSeconds * 1000,
  );

  test('is told from drift: a change of the MeshOperator is seen and undone', async () => {
    const since = watch.now();

    await mesh.change({ meshConfig: { accessLogFile: '/dev/null' } });

    await watch.untilStatus('mesh', 'is OutOfSync', ({ sync }) => sync?.status === 'OutOfSync', { since });
    await untilSettled(since);
    expect((await mesh.read()).spec).toMatchObject({ meshConfig: { accessLogFile: '/dev/stdout' } });
  });

  test('is not drift to Argo CD where a child is changed: the operator undoes that', async () => {
    const since = watch.now();
    const service = { apiVersion: 'v1', kind: 'Service', namespace, name: 'istiod' };
    const { uid } = (await admin.client.get(service, never)).metadata;

    await admin.client.delete(service, {}, never);

    await waitUntil({ what: 'the Service is back' }, async () => {
      return (await admin.client.find(service, never))?.metadata.uid !== uid;
    });
    await mesh.until('Ready');
    const states = await watch.statesSince(since, 'mesh');
    expect(states.filter((state) => !state.startsWith('Synced/'))).toEqual([]);
  });
});

describe('what git says of a mesh is seen as its health', () => {
  test('Suspended while it is paused', async () => {
    const since = watch.now();

    await commitMesh((text) => `${text}  paused: { reason: a look at istiod }\n`);

    await watch.until('mesh', 'Synced/Suspended', { since });
    await expectVerdicts('Suspended', 'InProgress');
    await commitMesh((text) => text.replace(/ {2}paused: .*\n/, ''));
    await untilSettled(since);
  });

  test('Degraded while its spec cannot be followed, and what runs stays as it is', async () => {
    const { resourceVersion } = (await admin.client.get(istiod, never)).metadata;
    const since = watch.now();

    await commitMesh((text) => text.replace('"1.31"', '"1.29"'));

    const { resources } = await watch.untilStatus('mesh', 'is Degraded', isOf('Degraded'), { since });
    const found = resources?.find(({ kind }) => kind === 'MeshOperator');
    expect(found?.health?.message).toContain('1.29');
    await expectVerdicts('Degraded', 'Failed');
    expect((await admin.client.get(istiod, never)).metadata.resourceVersion).toBe(resourceVersion);
    await commitMesh((text) => text.replace('"1.29"', '"1.31"'));
    await untilSettled(since);
  });

  test('gone when its file is: it is pruned with all that it had', async () => {
    const canary = `
apiVersion: meshoperator.dev/v1alpha1
kind: MeshOperator
metadata: { name: canary, namespace: ${namespace} }
spec: { version: "1.31", profile: minimal, revision: canary, sidecarInjector: { enabled: false } }
`;
    const since = watch.now();
    await repositories.meshes.commitFile('mesh/canary.yaml', () => canary);
    await watch.refresh('mesh', 'normal');
    await watch.untilStatus('mesh', 'has a second mesh', hasMeshes(2), { since });
    await untilSettled(since);

    const removed = watch.now();
    await repositories.meshes.commitRemoval('mesh/canary.yaml');
    await watch.refresh('mesh', 'normal');

    await watch.untilStatus('mesh', 'has one mesh again', hasMeshes(1), { since: removed });
    await new TestMesh(admin.client, { namespace, name: 'canary' }).untilGone();
    const left = (await listEverything(cluster)).filter((line) => / istiod-canary/.test(line));
    expect(left.filter((line) => !/ (Event|Endpoints|EndpointSlice|Pod) /.test(line))).toEqual([]);
  });
});

test('deleting the root takes all away: the mesh while the operator runs, then the operator', async () => {
  await cluster.kubectl('delete', 'application.argoproj.io', 'service-mesh', '-n', 'argocd', '--wait=false');
  await watch.untilGone(...applications);

  const gone = (name: string) => watch.firstSeen(name, (status) => status === undefined);
  expect(gone('mesh')).toBeLessThan(gone('mesh-operator'));
  let added: string[] = [];
  const explain = async () => added.join('\n');
  await waitUntil({ what: 'nothing is left', intervalMs: 1_000, explain }, async () => {
    added = (await listEverything(cluster)).filter(
      (line) => !before.includes(line) && !isExpectedToStay(line),
    );
    return added.length === 0;
  });
});

async function refreshAll(): Promise<void> {
  for (const name of applications) await watch.refresh(name, 'hard');
}

/** As an autoscaler does it, and until the replicas are there. */
async function scaleIstiod(replicas: number): Promise<void> {
  const scale = { type: 'merge', merge: { spec: { replicas } } } as const;
  const options = { fieldManager: 'kube-controller-manager', subresource: 'scale' };
  await admin.client.patch(istiod, scale, options, never);
  await waitUntil({ what: `istiod has ${replicas} replicas` }, async () => {
    const { status } = await admin.client.get(istiod, never);
    const { replicas: found, availableReplicas } = status as Record<string, number>;
    return found === replicas && availableReplicas === replicas;
  });
}

/** Makes the operator issue a serving certificate anew, and waits until the webhooks trust that as well. */
async function renewServingCertificate({
  secret,
  webhooks,
}: (typeof servers)[keyof typeof servers]): Promise<void> {
  const bundle = await bundleOf(webhooks);
  await admin.client.delete(secret, {}, never);
  await waitUntil({ what: `${webhooks.name} trusts another authority` }, async () => {
    return (await admin.client.find(secret, never)) !== undefined && (await bundleOf(webhooks)) !== bundle;
  });
}

async function bundleOf(id: ObjectId): Promise<string | undefined> {
  const { webhooks } = (await admin.client.get(id, never)) as unknown as {
    webhooks: { clientConfig: { caBundle: string } }[];
  };
  return webhooks[0]?.clientConfig.caBundle;
}

async function commitMesh(change: (text: string) => string): Promise<void> {
  await repositories.meshes.commitFile('mesh/mesh.yaml', change);
  await watch.refresh('mesh', 'normal');
}

/** Waits until git, cluster and mesh are one again, after whatever was seen since. */
async function untilSettled(since: number): Promise<void> {
  await watch.untilStatus('mesh', 'was not Healthy', (status) => stateOf(status) !== 'Synced/Healthy', {
    since,
  });
  await untilAllHealthy();
}

async function untilAllHealthy(): Promise<void> {
  await waitUntil({ what: 'all Applications are Synced and Healthy' }, async () => {
    const found = await Promise.all(applications.map((name) => watch.statusOf(name)));
    return found.every((status) => stateOf(status) === 'Synced/Healthy');
  });
}

function isOf(health: string) {
  return (status: ApplicationStatus) => status.health?.status === health;
}

function hasMeshes(count: number) {
  return ({ resources = [] }: ApplicationStatus) =>
    resources.filter(({ kind }) => kind === 'MeshOperator').length === count;
}

/** What our health check and kstatus say of the mesh as it is now. */
async function expectVerdicts(argoCD: string, kstatus: string): Promise<void> {
  expect(await gitopsHealthOf([await mesh.read()])).toMatchObject([
    { argoCD: { status: argoCD }, kstatus: { status: kstatus } },
  ]);
}

async function read(kind: string, name: string, where?: string): Promise<KubernetesObject> {
  const place = where === undefined ? [] : ['--namespace', where];
  return JSON.parse(await cluster.kubectl('get', kind, name, ...place, '--output=json')) as KubernetesObject;
}

function establishedAt({ status }: KubernetesObject): number {
  const { conditions } = status as { conditions: { type: string; lastTransitionTime: string }[] };
  return Date.parse(conditions.find(({ type }) => type === 'Established')?.lastTransitionTime ?? '');
}

function isOfArgoCd(key: string): boolean {
  return key.startsWith('argocd.argoproj.io/') || key === 'app.kubernetes.io/instance';
}

/** CRDs are never deleted with what they are for; the operator's keys and the authority outlive both; the rest is Kubernetes'. */
function isExpectedToStay(line: string): boolean {
  return [
    / (CustomResourceDefinition|APIService) \S*\.(istio\.io|meshoperator\.dev)$/,
    new RegExp(` Namespace ${operatorNamespace}$`),
    new RegExp(` Secret ${operatorNamespace}/(${namespace}\\.ca|mesh-operator-(admission-tls|author-key))$`),
    new RegExp(` (ConfigMap|ServiceAccount) ${operatorNamespace}/(kube-root-ca\\.crt|default)$`),
    / (Event|IPAddress|ControllerRevision|Lease) /,
  ].some((pattern) => pattern.test(line));
}
