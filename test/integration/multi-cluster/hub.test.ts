import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { dump } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { untilMeshOperatorsAreServed } from '../../support/mesh-operator-crd.ts';
import { templateChart, writeTokenKubeconfig } from '../../support/operator-access.ts';
import { RemoteCluster } from '../../support/remote-cluster.ts';
import { RunningOperator } from '../../support/running-operator.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient, uniqueName } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';

const examples = resolve(import.meta.dirname, '../../../examples/multi-cluster/hub');
const mountPath = '/etc/mesh-operator/cluster';

let hub: Cluster;
let admin: TestClient;
let west: RemoteCluster;
let folder: string;
let operator: RunningOperator | undefined;

beforeAll(async () => {
  [hub, west] = await Promise.all([sharedCluster('none'), RemoteCluster.start(uniqueName('west'))]);
  admin = testClient(hub.kubeconfigPath);
  folder = await mkdtemp(join(tmpdir(), 'hub-'));
});

afterAll(async () => {
  await operator?.end();
  await admin?.connection.close();
  await west?.close();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** Applies the chart with the values of an example. */
async function install(cluster: Cluster, values: 'here' | 'there'): Promise<KubernetesObject[]> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: operatorNamespace } };
  const objects = (await templateChart('--values', join(examples, `${values}.yaml`))).filter(
    ({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined,
  );
  await cluster.apply([namespace, ...objects].map((object) => dump(object)).join('---\n'));
  return objects;
}

/** A kubeconfig for the operator, with a token of its own, where the Secret would be mounted. */
async function writeKubeconfig(): Promise<string> {
  const name = `token-${uniqueName('holder')}`;
  const holder = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: operatorNamespace } };
  await west.client.create(holder, { fieldManager: 'test' }, never);
  const token = await west.cluster.kubectl(
    ...['create', 'token', 'mesh-operator', '-n', operatorNamespace],
    ...['--bound-object-kind', 'Secret', '--bound-object-name', name],
  );
  await writeTokenKubeconfig(west.cluster, token.trim(), join(folder, 'kubeconfig'));
  return name;
}

/** The flags that the Deployment has, where its files are in `folder`. */
function flagsOf(objects: readonly KubernetesObject[]): string[] {
  const deployment = objects.find(({ kind }) => kind === 'Deployment') as unknown as Deployment;
  const { containers, volumes } = deployment.spec.template.spec;
  expect(volumes).toEqual([{ name: 'cluster', secret: { secretName: 'west' } }]);
  expect(containers[0].volumeMounts).toEqual([{ name: 'cluster', mountPath, readOnly: true }]);
  return containers[0].args.slice(1).map((flag) => flag.replace(mountPath, folder));
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly [{ readonly args: readonly string[]; readonly volumeMounts: unknown }];
        readonly volumes: unknown;
      };
    };
  };
}

async function createMesh(): Promise<TestMesh> {
  const namespace = await ownNamespace(west.client, 'mesh');
  const spec = {
    profile: 'minimal',
    revision: uniqueName('r'),
    sidecarInjector: { enabled: false },
  } as const;
  const mesh = aMeshOperator(spec, { namespace });
  await west.client.create(mesh as unknown as KubernetesObject, { fieldManager: 'test' }, never);
  return new TestMesh(west.client, { namespace, name: 'mesh' });
}

test('an operator works for another cluster with the rights that the chart gives it there, and goes on with another token', async () => {
  await install(west.cluster, 'there');
  await untilMeshOperatorsAreServed(west.cluster);
  const first = await writeKubeconfig();
  const here = await install(hub, 'here');
  const flags = flagsOf(here);
  operator = RunningOperator.start({
    ...{ kubeconfig: join(folder, 'kubeconfig'), namespace: operatorNamespace, flags },
  });
  await operator.untilLeading();

  await (await createMesh()).until('Ready');
  await writeKubeconfig();
  await west.client.delete(
    { apiVersion: 'v1', kind: 'Secret', namespace: operatorNamespace, name: first },
    {},
    never,
  );
  const second = await createMesh();

  await second.until('Ready');
  const lease = { ...kindInfo('coordination.k8s.io/v1', 'Lease'), namespace: operatorNamespace };
  expect(await west.client.find({ ...lease, name: 'mesh-operator' }, never)).toBeDefined();
  expect(await admin.client.find({ ...lease, name: 'mesh-operator' }, never)).toBeUndefined();
});
