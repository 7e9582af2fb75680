import { nodeName } from './certificates.ts';
import { clusterDnsManifests } from './cluster-dns.ts';
import { controlGroupName, createControlGroup } from './control-group.ts';
import { ensureImage } from './images/ensure-image.ts';
import type { ImageArchive } from './images/image-cache.ts';
import { holdNamespaces } from './namespaces.ts';
import { networkPolicyEnforcer } from './network-policy/enforcer.ts';
import { connectToHost } from './node-network.ts';
import { containerd, ctr, kubelet, kubeProxy, writeNodeFiles } from './real-node.ts';
import type { Cluster } from './running-cluster.ts';
import { logTail } from './supervised-process.ts';
import { type Progress, seconds } from './toolchain/progress.ts';
import { waitUntil } from './wait-until.ts';

/** The images without which a node is of no use. */
export interface NodeImages {
  readonly pause: ImageArchive;
  readonly coredns: ImageArchive;
}

/** Assembles the node's own images unless the cache has them. */
export async function ensureNodeImages(progress: Progress | undefined): Promise<NodeImages> {
  const ensure = async (name: 'pause' | 'coredns') => {
    const start = performance.now();
    const image = await ensureImage(name);
    if (performance.now() - start > 1_000)
      progress?.(`image ${name} assembled in ${seconds(performance.now() - start)}`);
    return image;
  };
  return { pause: await ensure('pause'), coredns: await ensure('coredns') };
}

/** Makes the namespaces, control group and network that a cluster with a real node runs in, and starts containerd. */
export async function prepareRealNode(cluster: Cluster, images: NodeImages): Promise<void> {
  const { name, rundir, state } = cluster;
  await createControlGroup(controlGroupName(name));
  const holder = await holdNamespaces(rundir, state.diesWithParent);
  await cluster.record({ holder });
  await connectToHost(state.plan, holder);
  await writeNodeFiles(name, rundir, state.plan, images.pause.reference);
  await cluster.launch(containerd(rundir));
}

/** Waits for containerd, forgets containers of an earlier run, and imports the node's own images. */
export async function fillImageStore(cluster: Cluster, images: NodeImages): Promise<void> {
  const explain = () => logTail(cluster.rundir, 'containerd');
  const known = await waitUntil({ what: 'containerd answers', explain }, () =>
    cluster.execInNode([...ctr, 'containers', 'ls', '-q']),
  );
  const leftOver = known.split('\n').filter((id) => id !== '');
  if (leftOver.length > 0) await cluster.execInNode([...ctr, 'containers', 'rm', ...leftOver]);
  for (const image of [images.pause, images.coredns]) await cluster.importImage(image);
}

/** Starts kubelet, kube-proxy, the enforcer of network policies and the cluster's DNS; the API server must be ready. */
export async function startRealNode(
  cluster: Cluster,
  programs: Readonly<Record<'kubelet' | 'kube-proxy', string>>,
  images: NodeImages,
): Promise<void> {
  const { rundir, state } = cluster;
  await cluster.launch(kubelet(rundir, state.plan, programs.kubelet));
  await cluster.launch(kubeProxy(rundir, state.plan, programs['kube-proxy']));
  await cluster.launch(networkPolicyEnforcer(cluster.kubeconfigPath));
  await cluster.apply(clusterDnsManifests(state.plan, images.coredns.reference));
}

/** Returns when a pod asking for names gets answers: the DNS Deployment is available on a Ready node. */
export async function awaitClusterDns(cluster: Cluster): Promise<void> {
  const path = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';
  const explain = async () => `${await logTail(cluster.rundir, 'kubelet')}\n${await podStates(cluster)}`;
  await waitUntil({ what: `DNS of cluster ${cluster.name} is ready`, explain }, async () => {
    const deployment = (await cluster.get(path)) as { status?: { availableReplicas?: number } };
    return (deployment.status?.availableReplicas ?? 0) > 0;
  });
}

async function podStates(cluster: Cluster): Promise<string> {
  return cluster.kubectl('get', 'pods,events', '--namespace', 'kube-system', '-o', 'wide').catch(String);
}

/** Returns when one node is Ready and pods can be created in the namespace `default`. */
export async function awaitNode(cluster: Cluster): Promise<void> {
  const agent = cluster.nodes === 'kwok' ? 'kwok' : 'kubelet';
  const explain = () => logTail(cluster.rundir, agent);
  const what = `a node (${cluster.nodes === 'kwok' ? 'simulated' : nodeName}) of cluster ${cluster.name} is Ready`;
  await waitUntil({ what, explain }, async () => {
    const nodes = (await cluster.get('/api/v1/nodes')) as NodeList;
    return nodes.items.some(isReady);
  });
  await waitUntil({ what: 'namespace default has its service account' }, async () => {
    return (await cluster.get('/api/v1/namespaces/default/serviceaccounts/default')) !== undefined;
  });
}

interface NodeList {
  readonly items: readonly {
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

function isReady(node: NodeList['items'][number]): boolean {
  return node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
