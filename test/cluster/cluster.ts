import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { issueCertificates } from './certificates.ts';
import {
  loopbackAddress,
  maximumClusters,
  type NodeKind,
  nodeKinds,
  planCluster,
  usualPorts,
} from './cluster-plan.ts';
import {
  apiServer,
  apiServerUrl,
  type ControlPlaneOptions,
  controllerManager,
  etcd,
  kubeconfigFile,
  scheduler,
  writeAuditPolicy,
} from './control-plane.ts';
import { findFreePorts } from './free-ports.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { fakeNode, kwok, kwokWithExec } from './kwok.ts';
import { loadBalancerAddressGiver } from './load-balancer/address-giver.ts';
import { networkPolicyEnforcer } from './network-policy/enforcer.ts';
import { hasHostInterface } from './node-network.ts';
import { isAlive } from './process-identity.ts';
import {
  awaitClusterDns,
  awaitNode,
  ensureNodeImages,
  fillImageStore,
  type NodeImages,
  prepareRealNode,
  startRealNode,
} from './real-node-start.ts';
import {
  type ClusterState,
  clearRunFolder,
  isRunning,
  isTaken,
  ownIdentity,
  readState,
  readStates,
  runFolder,
  withMachineLock,
  writeState,
} from './run-folder.ts';
import { Cluster } from './running-cluster.ts';
import { tearDown, tearDownLocked } from './tear-down.ts';
import { ensureDebianPackages } from './toolchain/debian-packages.ts';
import { type Progress, seconds } from './toolchain/progress.ts';
import { ensureTools, type ToolName } from './toolchain/tools.ts';
import { raiseWatchLimit } from './watch-limit.ts';

export type { Cluster } from './running-cluster.ts';

/** What cluster to start. */
export interface ClusterOptions {
  /** Also the name of its folder and context: lower-case letters, digits and "-". */
  readonly name: string;
  readonly nodes: NodeKind;
  /** Write an audit log; default true. */
  readonly audit?: boolean;
  /** Keep imported images for the next cluster of this name; default false. */
  readonly keepImages?: boolean;
  /** Outlive this process; default false: the kernel ends the cluster when this process ends, however it ends. */
  readonly survives?: boolean;
  /** How many nodes KWOK simulates; default 1. */
  readonly fakeNodes?: number;
  /** Commands in simulated pods run the programs that are in `execFolder` (kwok.ts); default false: none can be run. */
  readonly canExec?: boolean;
  readonly progress?: Progress;
}

const kubeconfigClients = [
  ...(['admin', 'controller-manager', 'scheduler', 'kube-proxy', 'kubelet'] as const),
  ...(['kwok', 'cluster-daemon'] as const),
];

const toolsOf: Readonly<Record<NodeKind, readonly ToolName[]>> = {
  none: ['etcd', 'kube-apiserver', 'kubectl'],
  kwok: ['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager', 'kube-scheduler', 'kwok'],
  kubelet: [
    ...(['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager', 'kube-scheduler'] as const),
    ...(['kubelet', 'kube-proxy', 'coredns'] as const),
  ],
};

/**
 * Starts a cluster and returns when it can be used: API server ready; with nodes, one of them Ready; with a
 * real node, DNS answering. What an earlier cluster of that name has left is removed first.
 * Throws when one of that name runs; a failed start leaves nothing behind.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const progress = stepProgress(options);
  assertPossible(options.nodes);
  await raiseWatchLimit();
  await ensureDebianPackages(
    options.nodes === 'kubelet' ? ['cluster', 'node'] : ['cluster'],
    options.progress,
  );
  const programs = await ensureTools(toolsOf[options.nodes], options.progress);
  const images = options.nodes === 'kubelet' ? await ensureNodeImages(options.progress) : undefined;
  const cluster = new Cluster(await takePlace(options));
  try {
    await startParts(cluster, { ...options, programs, images, step: progress });
    await cluster.record({ ready: true });
    return cluster;
  } catch (error) {
    await tearDown(cluster.state);
    throw error;
  }
}

/** The running cluster of that name; throws when there is none. */
export async function openCluster(name: string): Promise<Cluster> {
  const state = await readState(name);
  const cluster = state === undefined ? undefined : new Cluster(state);
  if (cluster === undefined || !cluster.isUsable()) {
    throw new Error(`no cluster "${name}" is running; start one: make cluster-up NAME=${name} NODES=none`);
  }
  return cluster;
}

/** The running clusters of this user, by name. */
export async function listClusters(): Promise<Cluster[]> {
  const clusters = (await readStates()).map((state) => new Cluster(state));
  return clusters.filter((cluster) => cluster.isUsable());
}

/** Removes whatever is there of a cluster, running or not, kept images too; true when there was something. */
export async function removeCluster(name: string): Promise<boolean> {
  const isThere = existsSync(runFolder(name));
  const state = await readState(name);
  if (state !== undefined) await tearDown({ ...state, keepImages: false });
  else await clearRunFolder(name, []);
  return isThere;
}

interface Parts extends ClusterOptions {
  readonly programs: Readonly<Record<ToolName, string>>;
  /** Present for a real node. */
  readonly images: NodeImages | undefined;
  readonly step: Progress;
}

async function startParts(cluster: Cluster, parts: Parts): Promise<void> {
  const { nodes, programs, images, step } = parts;
  const { plan } = cluster.state;
  const options: ControlPlaneOptions = {
    nodes,
    plan,
    rundir: cluster.rundir,
    audit: cluster.state.audit,
    programs,
  };
  await issueCertificates(join(cluster.rundir, 'pki'), plan);
  await writeKubeconfigs(cluster);
  await writeAuditPolicy(cluster.rundir);
  step('certificates written');
  if (images !== undefined) {
    await prepareRealNode(cluster, images);
    step('namespaces and network there');
  }

  await cluster.launch(etcd(options));
  await cluster.launch(apiServer(options));
  await Promise.all([
    cluster.awaitServer('kube-apiserver'),
    ...(images === undefined ? [] : [fillImageStore(cluster, images)]),
  ]);
  step('API server ready');
  if (nodes === 'none') return;

  await cluster.launch(controllerManager(options, programs['kube-controller-manager']));
  await cluster.launch(scheduler(options, programs['kube-scheduler']));
  const daemonKubeconfig = kubeconfigFile(cluster.rundir, 'cluster-daemon');
  await cluster.launch(loadBalancerAddressGiver(daemonKubeconfig, plan.loadBalancerCidr));
  if (images === undefined) {
    const start = parts.canExec === true ? kwokWithExec : kwok;
    await cluster.launch(await start(plan, cluster.rundir, programs.kwok));
    const names = Array.from({ length: parts.fakeNodes ?? 1 }, (_, at) => `fake-${at + 1}`);
    await cluster.apply(names.map((name) => JSON.stringify(fakeNode(name))).join('\n---\n'));
    await awaitNode(cluster);
    step('simulated nodes ready');
  } else {
    await startRealNode(cluster, programs, images);
    await cluster.launch(networkPolicyEnforcer(daemonKubeconfig));
    await awaitNode(cluster);
    step('node Ready');
    await awaitClusterDns(cluster);
    step('DNS ready');
  }
}

/** Takes the lowest free number for the cluster, in an empty run folder. */
async function takePlace(options: ClusterOptions): Promise<ClusterState> {
  return withMachineLock(async () => {
    const before = await readState(options.name);
    if (before !== undefined && (before.ready ? isRunning(before) : isAlive(before.starter))) {
      throw new Error(
        `a cluster "${options.name}" is ${before.ready ? 'running' : 'being started'}: ` +
          `use it, or end it first: make cluster-down NAME=${options.name}`,
      );
    }
    if (before !== undefined) await tearDownLocked({ ...before, keepImages: options.keepImages ?? false });
    await clearRunFolder(options.name, options.keepImages === true ? ['containerd'] : []);
    await sweep();
    const index = await findFreeIndex(options.nodes);
    const ports = options.nodes === 'kubelet' ? usualPorts : await findFreePorts(loopbackAddress(index));
    const state: ClusterState = {
      name: options.name,
      id: randomUUID(),
      nodes: options.nodes,
      plan: planCluster(options.nodes, index, ports),
      starter: ownIdentity(),
      diesWithParent: options.survives !== true,
      keepImages: options.keepImages ?? false,
      audit: options.audit ?? true,
      ready: false,
      supervisors: {},
    };
    await writeState(state);
    return state;
  });
}

/** Removes what clusters have left whose processes were killed together with the process that started them. */
async function sweep(): Promise<void> {
  for (const state of await readStates()) {
    if (state.diesWithParent && !isTaken(state)) await tearDownLocked(state);
  }
}

async function findFreeIndex(nodes: NodeKind): Promise<number> {
  const isReal = nodes === 'kubelet';
  const taken = (await readStates())
    .filter((state) => isTaken(state) && (state.nodes === 'kubelet') === isReal)
    .map((state) => state.plan.index);
  for (let index = 0; index < maximumClusters(nodes); index++) {
    if (!taken.includes(index) && !(isReal && hasHostInterface(index))) return index;
  }
  throw new Error(`${maximumClusters(nodes)} clusters run already: end one with make cluster-down NAME=...`);
}

function assertPossible(nodes: NodeKind): void {
  if (!nodeKinds.includes(nodes)) {
    throw new Error(`nodes "${nodes}" are none of ${nodeKinds.join(', ')}`);
  }
  if (process.platform !== 'linux') {
    throw new Error(`local clusters need Linux, and this is ${process.platform}`);
  }
  if (nodes === 'kubelet' && process.getuid?.() !== 0) {
    throw new Error(
      'a real node (NODES=kubelet) needs root: its namespaces, containerd, kubelet and kube-proxy do. ' +
        'Without root NODES=none (API server only) and NODES=kwok (simulated nodes) work.',
    );
  }
}

async function writeKubeconfigs(cluster: Cluster): Promise<void> {
  const server = apiServerUrl(cluster.state.plan);
  const pkiFolder = join(cluster.rundir, 'pki');
  for (const client of kubeconfigClients) {
    const path = kubeconfigFile(cluster.rundir, client);
    await writeKubeconfig(path, { cluster: cluster.name, server, pkiFolder, client });
  }
}

function stepProgress({ name, progress }: ClusterOptions): Progress {
  const start = performance.now();
  return (line) => progress?.(`cluster ${name}: ${line} after ${seconds(performance.now() - start)}`);
}
