import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { type Cluster, startCluster } from '../../cluster/cluster.ts';
import { importImages, operatorNamespace } from '../../cluster/operator.ts';
import { ApplicationWatch } from '../../support/application-watch.ts';
import { createExampleRepositories, type ExampleRepositories } from '../../support/example-repositories.ts';
import { argoCdNamespace, RunningArgoCd } from '../../support/running-argo-cd.ts';
import { type TestClient, testClient } from '../../support/test-client.ts';

const names = ['east', 'west'] as const;
type Name = (typeof names)[number];

let clusters: Readonly<Record<Name, Cluster>>;
let admin: TestClient;
let argoCd: RunningArgoCd;
let watch: ApplicationWatch;
let repositories: ExampleRepositories;

beforeAll(async () => {
  const [east, west] = [await aCluster('east'), await aCluster('west')];
  clusters = { east, west };
  admin = testClient(east.kubeconfigPath);
  repositories = await createExampleRepositories('examples/argo-cd/many-clusters');
  argoCd = await RunningArgoCd.start(east);
  for (const name of names) await argoCd.register(name, clusters[name], { 'meshoperator.dev/mesh': 'true' });
  watch = await ApplicationWatch.start(east, admin.client);

  await east.apply(await repositories.meshes.read('applicationset.yaml'));
});

afterAll(async () => {
  watch?.end();
  await argoCd?.remove();
  await repositories?.meshes.remove();
  await repositories?.operator.remove();
  await admin?.connection.close();
  for (const name of names) await clusters?.[name].stop();
});

test('the ApplicationSet gives each cluster the operator and its own mesh', async () => {
  for (const name of names) await watch.until(`service-mesh-${name}`, 'Synced/Healthy');

  const specOf = async (name: Name) => (await read(name, 'meshoperator', 'mesh', 'istio-system')).spec;
  expect(await specOf('east')).toMatchObject({ meshConfig: { accessLogFile: '/dev/stdout' } });
  expect(await specOf('west')).toMatchObject({ meshConfig: { enableTracing: false } });
});

test.each(names)('the mesh of %s has come when the operator was available', async (name) => {
  const { status } = await read(name, 'deployment', 'mesh-operator', operatorNamespace);
  const mesh = await read(name, 'meshoperator', 'mesh', 'istio-system');

  const { conditions } = status as { conditions: { type: string; lastTransitionTime: string }[] };
  const available = conditions.find(({ type }) => type === 'Available')?.lastTransitionTime ?? '';
  expect(Date.parse(String(mesh.metadata.creationTimestamp))).toBeGreaterThanOrEqual(Date.parse(available));
});

test('deleting the ApplicationSet takes meshes and operators away from every cluster', async () => {
  await clusters.east.kubectl(
    ...[
      'delete',
      'applicationset.argoproj.io',
      'service-mesh',
      '--namespace',
      argoCdNamespace,
      '--wait=false',
    ],
  );

  await watch.untilGone(...names.map((name) => `service-mesh-${name}`));

  for (const name of names) expect(await meshesOf(name)).toBe('');
});

async function aCluster(name: Name): Promise<Cluster> {
  const cluster = await startCluster({ name: `${name}-${process.pid}`, nodes: 'kubelet' });
  await importImages(cluster, ['mesh-operator', 'istiod']);
  return cluster;
}

/** Namespace and name of what is left of meshes and of the operator. */
async function meshesOf(name: Name): Promise<string> {
  const columns = '--output=custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name';
  const kinds = 'meshoperators,deployments';
  const lines = await clusters[name].kubectl('get', kinds, '--all-namespaces', '--no-headers', columns);
  const words = lines.split('\n').map((line) => line.trim().replace(/\s+/, ' '));
  return words.filter((line) => line !== '' && !line.startsWith('kube-system ')).join('\n');
}

async function read(name: Name, kind: string, object: string, namespace: string): Promise<KubernetesObject> {
  const flags = ['--namespace', namespace, '--output=json'];
  return JSON.parse(await clusters[name].kubectl('get', kind, object, ...flags)) as KubernetesObject;
}
