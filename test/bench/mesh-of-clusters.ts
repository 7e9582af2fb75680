import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kindInfo } from '../../src/api/kinds.ts';
import { idOf, type KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { networkLabel } from '../../src/api/labels.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import type { MeshOperatorStatus, RemoteStatus } from '../../src/api/mesh-operator-status.ts';
import { loadBalancerAddresses } from '../../src/api/service-addresses.ts';
import type { RemoteIdentity } from '../../src/kube/remote-identity.ts';
import { execFolder } from '../cluster/kwok.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { IstiodProcess } from '../support/istiod-process.ts';
import { identityIn, RemoteCluster } from '../support/remote-cluster.ts';
import { type BenchCluster, startBenchCluster } from './bench-cluster.ts';
import { type ClusterView, never, watchKinds } from './cluster-view.ts';

/** Of the mesh, in all clusters. */
export const namespace = 'many-clusters';
const clusterName = 'home';
const fieldManager = 'bench';
const startsAtOnce = 4;
const limitMs = 300_000;

/** A network's gateway as istiod sees it (`/debug/networkz`). */
interface NetworkGateway {
  readonly Cluster: string;
  readonly Addr: string;
}

/**
 * A cluster with the operator and many others, which are an API server with etcd and nothing else. The istiod of the mesh
 * is a real one; it runs beside its simulated pod, and answers for it.
 */
export class MeshOfClusters {
  readonly bench: BenchCluster;
  readonly remotes: readonly RemoteCluster[];
  readonly #istiod: IstiodProcess;
  readonly #view: ClusterView;

  private constructor(
    bench: BenchCluster,
    remotes: readonly RemoteCluster[],
    istiod: IstiodProcess,
    view: ClusterView,
  ) {
    this.bench = bench;
    this.remotes = remotes;
    this.#istiod = istiod;
    this.#view = view;
  }

  /** Starts all of it; the mesh is not applied yet. */
  static async start(count: number, nodeFlags: readonly string[]): Promise<MeshOfClusters> {
    const ends: (() => Promise<unknown>)[] = [];
    try {
      const bench = await startBenchCluster({ nodeFlags, canExec: true });
      ends.push(() => bench.stop());
      const remotes: RemoteCluster[] = [];
      ends.push(() => Promise.all(remotes.map((remote) => remote.close())));
      while (remotes.length < count) {
        const names = Array.from(
          { length: Math.min(startsAtOnce, count - remotes.length) },
          (_, index) => `${bench.cluster.name}-${remoteName(remotes.length + index)}`,
        );
        remotes.push(...(await Promise.all(names.map((name) => RemoteCluster.start(name, 'none')))));
      }
      await Promise.all(remotes.map((remote, index) => prepareRemote(bench, remote, remoteName(index))));
      const istiod = await startIstiod(bench);
      ends.push(() => istiod.stop());
      const view = await watchKinds(bench.client, [kindInfo(meshOperatorApiVersion, meshOperatorKind)]);
      return new MeshOfClusters(bench, remotes, istiod, view);
    } catch (error) {
      for (const end of ends.reverse()) await end();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#view.close();
    await this.#istiod.stop();
    await Promise.all(this.remotes.map((remote) => remote.close()));
    await this.bench.stop();
  }

  /** The mesh with all other clusters; `servers` are where istiod finds some of them, if not where the operator does. */
  mesh(servers: Readonly<Record<string, string>> = {}): KubernetesObject {
    const names = this.remotes.map((_, index) => remoteName(index));
    return meshWith(names, servers);
  }

  /** Applies the mesh without the other clusters; returns when it is complete. */
  async applyAlone(): Promise<void> {
    await this.bench.client.apply(meshWith([]), { fieldManager }, never);
    await this.untilComplete();
  }

  /** Applies the mesh with all of them. */
  async apply(servers: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.bench.client.apply(this.mesh(servers), { fieldManager }, never);
  }

  /** Changes the spec, and gives what generation that is. */
  async change(merge: MeshOperatorSpec): Promise<number> {
    const body = { type: 'merge', merge: { spec: merge } } as const;
    const { metadata } = await this.bench.client.patch(idOf(meshWith([])), body, { fieldManager }, never);
    return metadata.generation ?? 0;
  }

  /** Returns when everything that the mesh consists of is there and healthy, as the spec of this generation has it. */
  async untilComplete(generation = 1): Promise<void> {
    await this.#view.until('the mesh is complete', limitMs, () => {
      const { conditions = [] } = (this.#view.get(idOf(meshWith([])))?.status ?? {}) as MeshOperatorStatus;
      const ready = conditions.find(({ type }) => type === 'ControlPlaneReady');
      const isThere = ready?.status === 'True' && (ready.observedGeneration ?? 0) >= generation;
      return isThere ? true : undefined;
    });
  }

  /** The process id of istiod. */
  get istiodPid(): number {
    return this.#istiod.pid;
  }

  /** Returns when istiod has read so many other clusters, and knows no more. */
  async untilIstiodReads(count: number): Promise<void> {
    const what = `istiod reads ${count} other clusters`;
    await waitUntil({ what, limitMs, intervalMs: 50 }, async () => {
      const clusters = (
        await this.#ask<{ readonly id: string; readonly syncStatus: string }>('clusterz')
      ).filter(({ id }) => id !== clusterName);
      return clusters.length === count && clusters.every(({ syncStatus }) => syncStatus === 'synced');
    });
  }

  async #ask<T>(page: string): Promise<T[]> {
    return ((await this.#istiod.debugPage(page)) ?? []) as T[];
  }

  /** Returns when this holds of what the status says of each of these clusters. */
  async untilRemotes(
    what: string,
    names: readonly string[],
    holds: (remote: RemoteStatus) => boolean,
  ): Promise<void> {
    await this.#view.until(what, limitMs, () => {
      const { remotes = [] } = (this.#view.get(idOf(meshWith([])))?.status ?? {}) as MeshOperatorStatus;
      const found = names.map((name) => remotes.find((remote) => remote.clusterName === name));
      return found.every((remote) => remote !== undefined && holds(remote)) ? true : undefined;
    });
  }

  /** By cluster: whom istiod is there now. */
  async readers(names: readonly string[]): Promise<ReadonlyMap<string, RemoteIdentity>> {
    const readers = names.map(async (name) => {
      const id = { apiVersion: 'v1', kind: 'Secret', namespace, name: `istio-remote-secret-${name}` };
      return [name, identityIn(await this.bench.client.get(id, never), name)] as const;
    });
    return new Map(await Promise.all(readers));
  }

  /** Annotates the MeshOperator, as a person does who asks for something. */
  async annotate(annotations: Readonly<Record<string, string>>): Promise<void> {
    const merge = { metadata: { annotations } };
    await this.bench.client.patch(idOf(meshWith([])), { type: 'merge', merge }, { fieldManager }, never);
  }

  /** Gives the gateway in another cluster an address. Milliseconds until istiod has it, and until a plain watch there has brought it. */
  async moveGateway(
    index: number,
    ip: string,
  ): Promise<{ readonly istiodMs: number; readonly watchMs: number }> {
    const { client } = this.remotes[index] as RemoteCluster;
    const id = { apiVersion: 'v1', kind: 'Service', namespace, name: gatewayName };
    const view = await watchKinds(client, [kindInfo('v1', 'Service')]);
    const startMs = performance.now();
    const watched = view.until(`a watch has brought address ${ip}`, limitMs, () =>
      loadBalancerAddresses(view.get(id) as KubernetesObject).includes(ip)
        ? performance.now() - startMs
        : undefined,
    );
    const merge = { status: { loadBalancer: { ingress: [{ ip }] } } };
    const options = { fieldManager, subresource: 'status' };
    await client.patch(id, { type: 'merge', merge }, options, never);
    await waitUntil({ what: `istiod knows address ${ip}`, limitMs, intervalMs: 5 }, async () => {
      const gateways = await this.#ask<NetworkGateway>('networkz');
      return gateways.some(({ Cluster, Addr }) => Cluster === remoteName(index) && Addr === ip);
    });
    const istiodMs = performance.now() - startMs;
    const watchMs = await watched;
    await view.close();
    return { istiodMs, watchMs };
  }
}

const gatewayName = 'eastwest';

/** The name of another cluster in the mesh. */
export function remoteName(index: number): string {
  return `remote-${index}`;
}

function meshWith(
  names: readonly string[],
  servers: Readonly<Record<string, string>> = {},
): KubernetesObject {
  const mesh: MeshOperator = {
    apiVersion: meshOperatorApiVersion,
    kind: meshOperatorKind,
    metadata: { name: 'mesh', namespace },
    spec: {
      ...{ profile: 'minimal', revision: namespace, sidecarInjector: { enabled: false } },
      multiCluster: {
        ...{ meshID: namespace, clusterName },
        remotes: names.map((name) => {
          const server = servers[name];
          const remote = { clusterName: name, kubeconfig: { secretName: name } };
          return server === undefined ? remote : { ...remote, server };
        }),
      },
    },
  };
  return mesh as unknown as KubernetesObject;
}

/** What a cluster has that is to become part of a mesh: the namespace, a gateway, and a way in for the operator. */
async function prepareRemote(bench: BenchCluster, remote: RemoteCluster, name: string): Promise<void> {
  const metadata = { name: gatewayName, namespace, labels: { [networkLabel]: name } };
  const ports = [{ name: 'tls', port: 15443 }];
  const gateway = { apiVersion: 'v1', kind: 'Service', metadata, spec: { type: 'LoadBalancer', ports } };
  await remote.createNamespace(namespace);
  await remote.client.create(gateway, { fieldManager }, never);
  const data = { kubeconfig: Buffer.from(await remote.kubeconfig()).toString('base64') };
  const access = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data };
  const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await bench.client.apply(home, { fieldManager }, never);
  await bench.client.create(access, { fieldManager }, never);
}

/** An istiod that answers whoever runs a command in its simulated pod. */
async function startIstiod({ cluster }: BenchCluster): Promise<IstiodProcess> {
  const istiod = await IstiodProcess.start({
    ...{ kubeconfig: cluster.kubeconfigPath, namespace },
    env: { CLUSTER_ID: clusterName, REVISION: namespace, INJECT_ENABLED: 'false' },
  });
  const program = join(execFolder(cluster.rundir), 'pilot-discovery');
  const [host, port] = istiod.monitoringAddress.split(':');
  // `request GET PATH`, which asks port 15014 and no other where it runs.
  const script = `#!/bin/bash
exec 3<>/dev/tcp/${host}/${port}
printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$3" >&3
sed '1,/^\\r$/d' <&3
`;
  await writeFile(program, script);
  await chmod(program, 0o755);
  return istiod;
}
