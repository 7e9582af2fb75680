import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { mergeJson } from '../../src/api/merge-json.ts';
import type { JsonObject } from '../../src/api/resolved-mesh.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { type JoinMode, joinClusters } from '../cluster/join-clusters.ts';
import { importImages, installOperator, readManifest } from '../cluster/operator.ts';
import { printProgress } from '../cluster/toolchain/progress.ts';
import { type GivenAuthority, makeAuthority } from './given-authority.ts';
import { type TestClient, testClient } from './test-client.ts';
import { TestMesh } from './test-mesh.ts';

const namespace = 'istio-system';

/** Two of everything fits on a small machine. */
const modest: JsonObject = {
  components: {
    pilot: { k8s: { replicaCount: 1, resources: { requests: { cpu: '10m', memory: '128Mi' } } } },
  },
  values: { global: { proxy: { resources: { requests: { cpu: '10m', memory: '40Mi' } } } } },
};

/** One cluster of a mesh of two, with a real node. */
export interface JoinedCluster {
  readonly name: string;
  readonly cluster: Cluster;
  readonly admin: TestClient;
  readonly mesh: TestMesh;
}

/** Two clusters with a real node each, and a cable between them. */
export class JoinedMeshes {
  readonly east: JoinedCluster;
  readonly west: JoinedCluster;

  private constructor(east: JoinedCluster, west: JoinedCluster) {
    this.east = east;
    this.west = west;
  }

  /**
   * Installs the operator in both, gives both an authority of one root and the way into each other, and applies the
   * MeshOperators of a folder of examples. Returns when both meshes are Ready and know each other.
   */
  static async install(folder: string, mode: JoinMode): Promise<JoinedMeshes> {
    const [east, west] = [await aCluster('east'), await aCluster('west')];
    await joinClusters(east.cluster, west.cluster, mode);
    const authority = await makeAuthority('mesh');
    const both = new JoinedMeshes(east, west);
    for (const one of both.all) {
      const other = one === east ? west : east;
      await importImages(one.cluster, ['istiod', 'proxyv2', 'test-app']);
      await installOperator(one.cluster);
      await one.cluster.apply(
        JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }),
      );
      await putSecret(one, 'mesh-authority', authorityFiles(authority));
      await putSecret(one, `cluster-${other.name}`, {
        kubeconfig: await readFile(other.cluster.kubeconfigPath, 'utf8'),
      });
      const object = load(await readManifest(`${folder}/${one.name}.yaml`)) as JsonObject;
      const spec = mergeJson(object.spec as JsonObject, modest);
      await one.cluster.apply(JSON.stringify({ ...object, spec }));
    }
    for (const { mesh, cluster } of both.all) {
      await mesh.until('Ready');
      await cluster.apply(await readManifest('test/cluster/stock-envoy.yaml'));
    }
    for (const { mesh } of both.all) await untilConnected(mesh);
    return both;
  }

  get all(): readonly JoinedCluster[] {
    return [this.east, this.west];
  }

  async close(): Promise<void> {
    for (const { admin, cluster } of this.all) {
      await admin.connection.close();
      await cluster.stop();
    }
  }
}

/** Waits until istiod reads every other cluster of a mesh. */
export async function untilConnected(mesh: TestMesh): Promise<void> {
  await mesh.untilStatus('every other cluster is connected', ({ remotes = [] }) => {
    return (
      remotes.length > 0 && remotes.every(({ state, reason }) => state === 'Ready' && reason === 'Connected')
    );
  });
}

async function aCluster(name: string): Promise<JoinedCluster> {
  const cluster = await startCluster({
    ...{ name: `${name}-${process.pid}`, nodes: 'kubelet', progress: printProgress },
  });
  const admin = testClient(cluster.kubeconfigPath);
  const mesh = new TestMesh(admin.client, { namespace, name: 'mesh' }, 400_000);
  return { name, cluster, admin, mesh };
}

function authorityFiles({ rootPem, intermediatePem, intermediateKeyPem }: GivenAuthority) {
  return {
    'root-cert.pem': rootPem,
    'ca-cert.pem': intermediatePem,
    'ca-key.pem': intermediateKeyPem,
    'cert-chain.pem': intermediatePem,
  };
}

async function putSecret({ cluster }: JoinedCluster, name: string, stringData: object): Promise<void> {
  await cluster.apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData }),
  );
}
