import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { AnalysisFinding } from '../../../src/cli/analyze/finding.ts';
import { type AnalyzeOptions, analyze } from '../../../src/cli/analyze.ts';
import { remoteSecretCreate } from '../../../src/cli/remote-secret-create.ts';
import { UsageError } from '../../../src/cli/terminal.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { renderIstioCrds } from '../../../src/render/istio-crds.ts';
import { installCrds } from '../../support/install-crds.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { installMeshOperatorCrd } from '../../support/mesh-operator-crd.ts';
import { RemoteCluster } from '../../support/remote-cluster.ts';
import { runCli } from '../../support/run-cli.ts';
import { never, uniqueName } from '../../support/test-client.ts';

const shop = uniqueName('shop');
const [east, other] = [uniqueName('east'), uniqueName('other')];

let world: MeshCluster;
let west: RemoteCluster;
let folder: string;
let namespace: string;

/** Two clusters of one mesh; a namespace, a Service and a rule in them are not alike. */
beforeAll(async () => {
  [world, west] = await Promise.all([MeshCluster.open('none'), RemoteCluster.start(uniqueName('west'))]);
  await installMeshOperatorCrd(west.cluster);
  for (const client of [world.client, west.client]) await installCrds(client, renderIstioCrds());
  namespace = await world.ownNamespace();
  await west.createNamespace(namespace);
  const multiCluster = { meshID: 'shop', clusterName: 'west' };
  const theirs = aMeshOperator({ revision: 'west', profile: 'empty', multiCluster }, { namespace });
  await create(west.client, theirs as unknown as KubernetesObject);
  await world.createNamespace(shop);
  await world.createNamespace(other);
  for (const name of [shop, other]) {
    const merge = { metadata: { labels: { 'istio.io/rev': east } } };
    const id = { apiVersion: 'v1', kind: 'Namespace', name };
    await world.client.patch(id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
    await create(world.client, aService(name, 'http'));
  }
  await west.createNamespace(shop);
  await create(west.client, aService(shop, 'grpc'));
  await create(world.client, {
    ...{ apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication' },
    ...{ metadata: { name: 'default', namespace: shop }, spec: { mtls: { mode: 'STRICT' } } },
  });
  folder = await mkdtemp(join(tmpdir(), 'analyze-clusters-'));
});

afterAll(async () => {
  await world?.close();
  await west?.close();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function create(client: KubeClient, object: KubernetesObject): Promise<void> {
  await client.create(object, { fieldManager: 'test' }, never);
}

function aService(inNamespace: string, portName: string): KubernetesObject {
  return {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'cart', namespace: inNamespace } },
    spec: { selector: { app: 'cart' }, ports: [{ port: 80, name: portName }] },
  };
}

/** What there is to say of the namespaces, and of clusters. */
async function find(options: Partial<AnalyzeOptions>): Promise<string[]> {
  const { stdout } = await runCli((terminal) => analyze({ output: 'json', ...options }, terminal));
  return (JSON.parse(stdout) as AnalysisFinding[])
    .filter(({ object }) => [shop, other, 'Cluster '].some((text) => object.includes(text)))
    .map(({ severity, rule, object }) => `${severity} ${rule} ${object}`);
}

const asymmetries = [
  `warning OneSidedNamespace Namespace ${other}`,
  `warning InjectionDiffers Namespace ${shop}`,
  `warning ServiceDiffers Service ${shop}/cart`,
  `warning OneSidedIstioObject PeerAuthentication ${shop}/default`,
].sort();

/** One kubeconfig with a context for each cluster. */
async function bothClusters(): Promise<string> {
  const configs = await Promise.all(
    [['east', world.cluster.kubeconfigPath] as const, ['west', west.cluster.kubeconfigPath] as const].map(
      async ([name, path]) => {
        const { clusters, users } = load(await readFile(path, 'utf8')) as Record<string, object[]>;
        const context = { name, context: { cluster: name, user: name } };
        return {
          clusters: [{ ...clusters?.[0], name }],
          users: [{ ...users?.[0], name }],
          contexts: [context],
        };
      },
    ),
  );
  const all = <Key extends 'clusters' | 'users' | 'contexts'>(key: Key) => configs.flatMap((one) => one[key]);
  const path = join(folder, 'kubeconfig');
  const lists = { clusters: all('clusters'), users: all('users'), contexts: all('contexts') };
  await writeFile(path, dump({ apiVersion: 'v1', kind: 'Config', ...lists, 'current-context': 'east' }));
  return path;
}

test('clusters are compared by the contexts of a kubeconfig, each beside what it has by itself', async () => {
  const kubeconfig = await bothClusters();

  const found = await find({ kubeconfig, context: ['east', 'west'] });

  const ofOne = found.filter((line) => line.includes(`east: Namespace`));
  expect(ofOne).toEqual([shop, other].sort().map((name) => `error UnknownRevision east: Namespace ${name}`));
  expect(found.filter((line) => !ofOne.includes(line)).sort()).toEqual(asymmetries);
});

test('one cluster is compared with the others of its mesh by the Secrets of that, as far as they can be read', async () => {
  const kubeconfig = world.cluster.kubeconfigPath;
  await world.startOperator();
  const remotes = [
    { clusterName: 'west', kubeconfig: { secretName: 'cluster-west' } },
    { clusterName: 'north', kubeconfig: { secretName: 'cluster-north' } },
  ];
  const mesh = await world.createMesh(
    { revision: east, profile: 'empty', multiCluster: { meshID: 'shop', clusterName: 'east', remotes } },
    { namespace },
  );
  await runCli((terminal) =>
    remoteSecretCreate(
      'mesh',
      'west',
      {
        ...{ kubeconfig, remoteKubeconfig: west.cluster.kubeconfigPath, namespace },
        ...{ lifetime: '720h', output: 'text' },
      },
      terminal,
    ),
  );
  await mesh.untilStatus('reads the other cluster', ({ remotes: known = [] }) =>
    known.some(({ clusterName, reason }) => clusterName === 'west' && reason === 'IstiodNotReady'),
  );

  const found = await find({ kubeconfig, remotes: true });

  expect(found.sort()).toEqual([...asymmetries, 'warning ClusterUnread Cluster north'].sort());
});

test('a call that says twice which clusters is refused', async () => {
  const both = find({ context: ['east', 'west'], remotes: true });
  const file = find({ filename: '-', remotes: true });

  await expect(both).rejects.toThrow(UsageError);
  await expect(file).rejects.toThrow(
    'Give a file, or a cluster (--kubeconfig, --context, --remotes), not both',
  );
});
