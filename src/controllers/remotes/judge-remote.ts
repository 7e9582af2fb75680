import { type KubernetesObject, keyText } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { MultiCluster } from '../../api/spec/multi-cluster.ts';
import type { RemoteFacts } from './probe-remote.ts';

/** What is wrong between this cluster and another one, and which reason the condition has for it. */
export interface RemoteProblem {
  readonly reason: 'OwnCluster' | 'OtherCluster' | 'OtherMesh' | 'ClockSkew';
  readonly message: string;
}

/** More than this, and certificates that one cluster has just signed are not valid yet in the other. */
const tolerableSkewMs = 30_000;

/**
 * Whether another cluster is the one that the spec means, and can be of one mesh with this one. What there is no
 * MeshOperator to say of is taken as it is. Pure.
 */
export function judgeRemote(
  mesh: ResolvedMesh,
  clusterName: string,
  facts: RemoteFacts,
  ownUid: string,
): RemoteProblem | undefined {
  if (facts.uid === ownUid)
    return {
      reason: 'OwnCluster',
      message: 'is this cluster itself: the Secret leads to the wrong API server',
    };
  const peers = facts.meshes.map((peer) => ({ peer, says: multiClusterOf(peer) }));
  const sameMesh = peers.filter(({ says }) => says.meshID === mesh.meshId);
  const other = sameMesh.find(({ says }) => says.clusterName !== clusterName);
  if (other !== undefined && !sameMesh.some(({ says }) => says.clusterName === clusterName)) {
    const message = `calls itself ${other.says.clusterName} (MeshOperator ${nameOf(other.peer)}): correct clusterName, or the Secret that leads there`;
    return { reason: 'OtherCluster', message };
  }
  const [first] = peers;
  if (first !== undefined && sameMesh.length === 0) {
    const message = `is part of mesh ${first.says.meshID} (MeshOperator ${nameOf(first.peer)}), not of ${mesh.meshId}: give both the same meshID`;
    return { reason: 'OtherMesh', message };
  }
  const { clockSkewMs = 0 } = facts;
  if (Math.abs(clockSkewMs) > tolerableSkewMs) {
    const seconds = Math.round(Math.abs(clockSkewMs) / 1000);
    const message = `has a clock that is ${seconds} s ${clockSkewMs > 0 ? 'ahead' : 'behind'}: certificates and tokens of one cluster may not be valid yet in the other`;
    return { reason: 'ClockSkew', message };
  }
  return undefined;
}

function multiClusterOf({ spec }: KubernetesObject): Partial<MultiCluster> {
  return (spec as { multiCluster?: Partial<MultiCluster> } | undefined)?.multiCluster ?? {};
}

function nameOf({ metadata }: KubernetesObject): string {
  return keyText({ namespace: metadata.namespace ?? '', name: metadata.name });
}
