import { readFile } from 'node:fs/promises';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { rotateRemotesAnnotation } from '../../src/api/labels.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import type { RemoteStatus } from '../../src/api/mesh-operator-status.ts';
import type { RemoteIdentity } from '../../src/kube/remote-identity.ts';
import { secretTexts } from '../../src/kube/secret-data.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type JoinMode, joinClusters, unjoinClusters } from '../cluster/join-clusters.ts';
import { importImages, installOperator, operatorNamespace, readManifest } from '../cluster/operator.ts';
import { execIn } from './app-requests.ts';
import { applyMesh } from './real-mesh.ts';
import { identityIn } from './remote-cluster.ts';
import { sharedCluster } from './shared-cluster.ts';
import type { WhichCluster } from './shared-cluster-setup.ts';
import { never, type TestClient, testClient } from './test-client.ts';
import { TestMesh } from './test-mesh.ts';

const namespace = 'istio-system';
const regionLabel = 'topology.kubernetes.io/region';

/** Two of everything fits on a small machine. */
const modest: MeshOperatorSpec = {
  components: {
    pilot: { k8s: { replicaCount: 1, resources: { requests: { cpu: '100m', memory: '128Mi' } } } },
  },
  values: { global: { proxy: { resources: { requests: { cpu: '50m', memory: '40Mi' } } } } },
};

/** One cluster of a mesh of two, with a real node. */
export class JoinedCluster {
  readonly name: string;
  readonly cluster: Cluster;
  readonly admin: TestClient;
  readonly mesh: TestMesh;

  constructor(name: string, cluster: Cluster) {
    this.name = name;
    this.cluster = cluster;
    this.admin = testClient(cluster.kubeconfigPath);
    this.mesh = new TestMesh(this.admin.client, { namespace, name: 'mesh' });
  }

  /** Makes a Secret in the namespace of the mesh, or replaces it. */
  async putSecret(name: string, stringData: object): Promise<void> {
    const metadata = { name, namespace };
    await this.cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, stringData }));
  }

  /** Lets the operator into another cluster. */
  async putKubeconfig(clusterName: string, kubeconfig: string): Promise<void> {
    await this.putSecret(`cluster-${clusterName}`, { kubeconfig });
  }

  /** Whom the Secret that istiod reads makes it in another cluster. */
  async readerIn(clusterName: string): Promise<RemoteIdentity> {
    const name = `istio-remote-secret-${clusterName}`;
    return identityIn(await this.#secret(name), clusterName);
  }

  /** Whom its files make the istiod of this cluster in the one that it has for its own. */
  async istiodIn(clusterName: string): Promise<RemoteIdentity> {
    const [kubeconfig, tokens] = await Promise.all([
      this.#secret('istio-kubeconfig'),
      this.#secret('istio-remote-tokens'),
    ]);
    return identityIn(kubeconfig, 'config', secretTexts(tokens)[clusterName]);
  }

  /** The Secrets by which istiod knows other clusters, as kubectl names them. */
  async remoteSecrets(): Promise<string[]> {
    const secrets = ['secrets', '-n', namespace, '-l', 'istio/multiCluster=true'];
    const names = await this.cluster.kubectl('get', ...secrets, '-o', 'name');
    return names.split('\n').filter((name) => name !== '');
  }

  /** The clusters that istiod knows, this one among them. */
  async knownClusters(): Promise<string[]> {
    const istiod = { namespace, workload: 'deployment/istiod', container: 'discovery' };
    const text = await execIn(this.cluster, istiod, 'pilot-discovery', 'request', 'GET', '/debug/clusterz');
    return (JSON.parse(text) as readonly { readonly id: string }[]).map(({ id }) => id).sort();
  }

  /** The Deployments of the mesh. */
  async deployments(): Promise<string[]> {
    const names = ['get', 'deployments', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name}'];
    return (await this.cluster.kubectl(...names)).split(' ').sort();
  }

  /** Where proxies of a cluster without an istiod find that of another one. */
  async addressesOfIstiod(): Promise<string[]> {
    const slices = ['endpointslices', '-n', namespace, '-l', 'kubernetes.io/service-name=istiod'];
    const path = 'jsonpath={.items[*].endpoints[*].addresses[*]}';
    return (await this.cluster.kubectl('get', ...slices, '-o', path)).split(' ');
  }

  /** Replaces the pods of istiod, and returns when new ones are Ready and the old ones gone. */
  async restartIstiod(): Promise<void> {
    await this.cluster.kubectl('rollout', 'restart', 'deployment/istiod', '-n', namespace);
    await this.cluster.kubectl('rollout', 'status', 'deployment/istiod', '-n', namespace, '--timeout=240s');
  }

  /** Returns when the operator has so many ready pods here, and no others. */
  async scaleOperator(replicas: number): Promise<void> {
    const operator = ['deployment/mesh-operator', '-n', operatorNamespace];
    await this.cluster.kubectl('scale', ...operator, `--replicas=${replicas}`);
    await this.cluster.kubectl('rollout', 'status', ...operator, '--timeout=180s');
    const pods = ['pods', '-n', operatorNamespace, '-l', 'app.kubernetes.io/name=mesh-operator'];
    if (replicas === 0) await this.cluster.kubectl('wait', ...pods, '--for=delete', '--timeout=180s');
  }

  /** Asks for other tokens by annotation. */
  async askForTokens(request: string): Promise<void> {
    const merge = { metadata: { annotations: { [rotateRemotesAnnotation]: request } } };
    await this.admin.client.patch(this.mesh.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  }

  async #secret(name: string): Promise<KubernetesObject> {
    return this.admin.client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name }, never);
  }

  /** Waits until the status says so of the one other cluster. */
  async untilRemote(what: string, holds: (remote: RemoteStatus) => boolean): Promise<RemoteStatus> {
    let found: RemoteStatus | undefined;
    await this.mesh.untilStatus(what, ({ remotes = [] }) => {
      found = remotes[0];
      return found !== undefined && holds(found);
    });
    return found as RemoteStatus;
  }

  /** Waits until istiod reads the one other cluster. */
  async untilConnected(): Promise<RemoteStatus> {
    return this.untilRemote(
      'the other cluster is connected',
      ({ state, reason }) => state === 'Ready' && reason === 'Connected',
    );
  }

  /** Waits until this cluster and the other one trust each other's roots. */
  async untilTrusted(): Promise<void> {
    await this.mesh.untilStatus('both trust each other', ({ certificateAuthority }) => {
      const { members = [] } = certificateAuthority ?? {};
      return members.length > 0 && members.every(({ isTrusted, trustsRoot }) => isTrusted && trustsRoot);
    });
  }
}

/** Two clusters with a real node each, a cable between them, and a mesh of both. */
export class JoinedMeshes {
  #clusters: { readonly east: JoinedCluster; readonly west: JoinedCluster } | undefined;

  /**
   * Joins the two shared clusters with real nodes. Installs the operator in both, gives each the way into the other, and
   * applies the MeshOperators of a folder of examples. Returns when both meshes are Ready, and those that name the other
   * know it. Two that name each other trust the root of the other then. Each cluster is a region of its own. Both meshes
   * have the settings of `spec` besides.
   */
  async install(folder: string, mode: JoinMode, spec: MeshOperatorSpec = {}): Promise<void> {
    this.#clusters = { east: await aCluster('east', 'one'), west: await aCluster('west', 'other') };
    await joinClusters(this.east.cluster, this.west.cluster, mode);
    const naming: JoinedCluster[] = [];
    // An istiod for another cluster reads the resources of Istio there, and its own has none.
    const reading: JoinedCluster[] = [];
    for (const one of this.all) {
      const { cluster, name } = one;
      await cluster.kubectl('label', 'nodes', '--all', '--overwrite', `${regionLabel}=${name}`);
      await importImages(cluster, ['istiod', 'proxyv2', 'test-app']);
      await installOperator(cluster);
      await cluster.apply(
        JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }),
      );
      const other = this.otherThan(one);
      await one.putKubeconfig(other.name, await readFile(other.cluster.kubeconfigPath, 'utf8'));
      const { multiCluster } = await applyMesh(cluster, `${folder}/${name}.yaml`, modest, spec);
      if ((multiCluster?.remotes ?? []).length > 0) naming.push(one);
      if (multiCluster?.configCluster === undefined) reading.push(one);
    }
    const telemetry = await readManifest('test/cluster/stock-envoy.yaml');
    for (const one of this.all) {
      await one.mesh.until('Ready');
      // Before a gateway is waited for that gets its listeners from the istiod of this cluster.
      if (reading.includes(one)) await one.cluster.apply(telemetry);
    }
    for (const one of naming) await one.untilConnected();
    if (naming.length === this.all.length) for (const one of naming) await one.untilTrusted();
  }

  get east(): JoinedCluster {
    return this.#installed.east;
  }

  get west(): JoinedCluster {
    return this.#installed.west;
  }

  get all(): readonly JoinedCluster[] {
    return [this.east, this.west];
  }

  otherThan(one: JoinedCluster): JoinedCluster {
    return one === this.east ? this.west : this.east;
  }

  /** Removes both meshes, also half installed ones, and the namespaces of apps; the clusters stay. */
  async remove(...appNamespaces: readonly string[]): Promise<void> {
    if (this.#clusters === undefined) return;
    await Promise.all(
      this.all.map(async ({ cluster, mesh, admin }) => {
        await cluster.kubectl('delete', 'namespaces', '--ignore-not-found', ...appNamespaces);
        await mesh.delete();
        await mesh.untilGone();
        await cluster.kubectl('delete', 'namespace', '--ignore-not-found', namespace);
        await cluster.kubectl('label', 'nodes', '--all', `${regionLabel}-`);
        await admin.connection.close();
      }),
    );
    await unjoinClusters(this.east.cluster, this.west.cluster);
  }

  get #installed() {
    if (this.#clusters === undefined) throw new Error('the meshes of two clusters are not installed yet');
    return this.#clusters;
  }
}

async function aCluster(name: string, which: WhichCluster): Promise<JoinedCluster> {
  return new JoinedCluster(name, await sharedCluster('kubelet', which));
}
