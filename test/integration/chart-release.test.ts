import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { dump, load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { operatorNamespace } from '../cluster/operator.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { untilMeshOperatorsAreServed } from '../support/mesh-operator-crd.ts';
import { templateChart } from '../support/operator-access.ts';
import { never, type TestClient, testClient, uniqueName } from '../support/test-client.ts';

const chart = resolve(import.meta.dirname, '../../charts/mesh-operator');
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  name: 'meshoperators.meshoperator.dev',
};
const meshKind = kindInfo('meshoperator.dev/v1alpha1', 'MeshOperator');
/** What etcd takes of one Secret, in which Helm keeps a release. */
const secretLimitBytes = 1024 * 1024;

/** Of its own: a release owns the CRD, which is the whole cluster's. */
let cluster: Cluster;
let admin: TestClient;
let folder: string;

beforeAll(async () => {
  cluster = await startCluster({ name: uniqueName('release'), nodes: 'none', progress: () => {} });
  admin = testClient(cluster.kubeconfigPath);
  folder = await mkdtemp(join(tmpdir(), 'chart-'));
});

afterAll(async () => {
  await admin?.connection.close();
  await cluster?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function helm(...args: readonly string[]): Promise<string> {
  const flags = ['--kubeconfig', cluster.kubeconfigPath, '--namespace', operatorNamespace];
  return run(await ensureTool('helm'), [...args, ...flags]);
}

/** The chart as a release before it that did not know `spec.paused` yet. */
async function earlierChart(): Promise<string> {
  const copy = join(folder, 'earlier');
  await cp(chart, copy, { recursive: true });
  const file = join(copy, 'files/crd.yaml');
  const definition = load(await readFile(file, 'utf8')) as Definition;
  for (const { schema } of definition.spec.versions) delete specOf(schema).paused;
  await writeFile(file, dump(definition, { noRefs: true }));
  return copy;
}

async function knowsPaused(): Promise<boolean> {
  const { spec } = (await admin.client.get(crd, never)) as unknown as Definition;
  return spec.versions.every(({ schema }) => specOf(schema).paused !== undefined);
}

test('an upgrade of the chart upgrades the CRD, and its removal leaves CRD and meshes to the next release', async () => {
  const mesh = { ...meshKind, namespace: uniqueName('mesh'), name: 'mesh' };
  const { namespace } = mesh;
  await cluster.kubectl('create', 'namespace', namespace);
  // No operator runs here that would answer the webhooks.
  const flags = ['--create-namespace', '--set', 'admission.enabled=false'];
  await helm('install', 'mesh-operator', await earlierChart(), ...flags);
  await untilMeshOperatorsAreServed(cluster);
  await admin.client.create(
    {
      ...{ apiVersion: meshKind.apiVersion, kind: meshKind.kind },
      metadata: { name: mesh.name, namespace },
      spec: { version: '1.31' },
    },
    { fieldManager: 'test' },
    never,
  );
  const { uid } = (await admin.client.get(mesh, never)).metadata;
  expect(await knowsPaused()).toBe(false);

  await helm('upgrade', 'mesh-operator', chart);
  expect(await knowsPaused()).toBe(true);

  await helm('uninstall', 'mesh-operator');
  await helm('install', 'mesh-operator', chart);
  expect((await admin.client.get(mesh, never)).metadata.uid).toBe(uid);
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'mesh-operator' };
  expect(await admin.client.find({ ...deployment, namespace: operatorNamespace }, never)).toBeDefined();
});

test('a release fits the Secret that Helm keeps it in, with room for half as much again', async () => {
  await helm('upgrade', '--install', 'mesh-operator', chart, '--create-namespace', '--take-ownership');
  const secrets = JSON.parse(
    await cluster.kubectl('get', 'secrets', '-n', operatorNamespace, '-l', 'owner=helm', '-o', 'json'),
  ) as { items: { data: { release: string } }[] };

  const sizes = secrets.items.map(({ data }) => data.release.length);
  expect(sizes.length).toBeGreaterThan(0);
  expect(Math.max(...sizes) * 1.5).toBeLessThan(secretLimitBytes);
});

describe('in a namespace that enforces restricted pod security', () => {
  const namespace = 'restricted';

  beforeAll(async () => {
    const labels = {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': 'latest',
    };
    const account = { name: 'mesh-operator', namespace };
    await cluster.apply(
      [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account },
      ]
        .map((object) => JSON.stringify(object))
        .join('\n---\n'),
    );
  });

  const create = async (name: string, spec: unknown) =>
    admin.client.create(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec } as KubernetesObject,
      { fieldManager: 'test' },
      never,
    );

  test('the pods of the operator and of its test are admitted', async () => {
    const objects = await templateChart();
    const deployment = objects.find(({ kind }) => kind === 'Deployment') as unknown as PodOwner;
    const pod = objects.find(({ kind }) => kind === 'Pod');

    expect(await create('operator', deployment.spec.template.spec)).toBeDefined();
    expect(await create('test', pod?.spec)).toBeDefined();
  });

  test('a pod that may become root is refused there', async () => {
    const objects = await templateChart();
    const { spec } = (objects.find(({ kind }) => kind === 'Deployment') as unknown as PodOwner).spec.template;

    await expect(create('root', { ...spec, securityContext: {} })).rejects.toThrow(/runAsNonRoot/);
  });
});

interface Definition extends KubernetesObject {
  readonly spec: { readonly versions: readonly { readonly schema: Schema }[] };
}

interface Schema {
  readonly openAPIV3Schema: { readonly properties: { readonly spec: { properties: { paused?: unknown } } } };
}

interface PodOwner {
  readonly spec: { readonly template: { readonly spec: object } };
}

function specOf({ openAPIV3Schema }: Schema): { paused?: unknown } {
  return openAPIV3Schema.properties.spec.properties;
}
