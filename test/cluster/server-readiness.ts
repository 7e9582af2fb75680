import { nodeName } from './certificates.ts';
import { ctr } from './real-node.ts';
import type { Cluster } from './running-cluster.ts';

/** Asks a server that runs whether it can be worked with; one that cannot be asked counts as ready. Throws or is false when not. */
export async function isServerReady(cluster: Cluster, server: string): Promise<boolean> {
  switch (server) {
    case 'kube-apiserver':
      return cluster.answersOk('/readyz');
    case 'etcd':
      return cluster.answersOk('/readyz/etcd');
    case 'containerd':
      await cluster.execInNode([...ctr, 'version']);
      return true;
    case 'kubelet':
      return knowsItsPods(cluster);
    case 'kube-proxy':
      return (await fetch(`http://${cluster.nodeAddress}:10256/healthz`)).ok;
    default:
      return true;
  }
}

interface PodList {
  readonly items: readonly { readonly metadata: { readonly uid: string } }[];
}

/** Until then kubelet refuses logs and exec of pods that run. */
async function knowsItsPods(cluster: Cluster): Promise<boolean> {
  if (!(await cluster.answersOk(`/api/v1/nodes/${nodeName}/proxy/healthz`))) return false;
  const bound = (await cluster.get(`/api/v1/pods?fieldSelector=spec.nodeName=${nodeName}`)) as PodList;
  const known = (await cluster.get(`/api/v1/nodes/${nodeName}/proxy/pods`)) as PodList;
  const knownUids = new Set((known.items ?? []).map(({ metadata }) => metadata.uid));
  return bound.items.every(({ metadata }) => knownUids.has(metadata.uid));
}
