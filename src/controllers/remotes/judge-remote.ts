import { type KubernetesObject, keyText } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { MultiCluster } from '../../api/spec/multi-cluster.ts';
import { containsBlock, parseAddressBlock } from '../../base/address-block.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import type { RemoteFacts } from './probe-remote.ts';

/** What is wrong between this cluster and another one, and which reason the condition has for it. */
export interface RemoteProblem {
  readonly reason:
    | 'OwnCluster'
    | 'SameCluster'
    | 'OtherCluster'
    | 'OtherMesh'
    | 'RootsDiffer'
    | 'AddressClash'
    | 'ClockSkew'
    | 'GatewayPending'
    | 'RightsMissing';
  /** Whether the cluster cannot be read as what the spec means; else istiod reads it nevertheless. */
  readonly isOther: boolean;
  readonly message: string;
}

/** More than this, and certificates that one cluster has just signed are not valid yet in the other. */
const tolerableSkewMs = 30_000;

/** What is compared. */
export interface Comparison {
  readonly mesh: Pick<ResolvedMesh, 'meshId'> & {
    /** Where its pods are; undefined where there are none in this cluster. */
    readonly podNetwork: string | undefined;
  };
  /** The name of the other cluster in the spec. */
  readonly clusterName: string;
  readonly own: ClusterFacts;
  readonly other: RemoteFacts;
  /** Those that the spec names before it: of two names of one cluster the first counts. */
  readonly earlier?: readonly NamedCluster[];
}

/** A cluster that has said who it is. */
export interface NamedCluster {
  readonly clusterName: string;
  readonly uid: string;
}

/**
 * Whether another cluster is the one that the spec means, and can be of one mesh with this one: the first thing that is
 * wrong. What there is no MeshOperator to say of is taken as it is. Pure.
 */
export function judgeRemote(comparison: Comparison): RemoteProblem | undefined {
  return (
    identityProblem(comparison) ??
    rootProblem(comparison) ??
    addressProblem(comparison) ??
    clockProblem(comparison)
  );
}

function identityProblem({
  mesh,
  clusterName,
  own,
  other,
  earlier = [],
}: Comparison): RemoteProblem | undefined {
  if (other.uid === own.uid) {
    return {
      ...{ reason: 'OwnCluster', isOther: true },
      message: 'is this cluster itself: the Secret leads to the wrong API server',
    };
  }
  const same = earlier.find(({ uid }) => uid === other.uid);
  if (same !== undefined) {
    const message = `is cluster ${same.clusterName} once more: one of their two Secrets leads to the wrong API server`;
    return { reason: 'SameCluster', isOther: true, message };
  }
  const peers = other.meshes.map((peer) => ({ peer, says: multiClusterOf(peer) }));
  const sameMesh = peers.filter(({ says }) => says.meshID === mesh.meshId);
  const stranger = sameMesh.find(({ says }) => says.clusterName !== clusterName);
  if (stranger !== undefined && !sameMesh.some(({ says }) => says.clusterName === clusterName)) {
    const message = `calls itself ${stranger.says.clusterName} (MeshOperator ${nameOf(stranger.peer)}): correct clusterName, or the Secret that leads there`;
    return { reason: 'OtherCluster', isOther: true, message };
  }
  const [first] = peers;
  if (first === undefined || sameMesh.length > 0) return undefined;
  const message = `is part of mesh ${first.says.meshID} (MeshOperator ${nameOf(first.peer)}), not of ${mesh.meshId}: give both the same meshID`;
  return { reason: 'OtherMesh', isOther: true, message };
}

function rootProblem({ own, other }: Comparison): RemoteProblem | undefined {
  if (own.roots.size === 0 || other.roots.size === 0) return undefined;
  const differ = (message: string) => ({ reason: 'RootsDiffer', isOther: false, message }) as const;
  if (own.root !== undefined && other.root !== undefined) {
    if (!own.roots.has(other.root)) {
      return differ('has a root that this cluster does not trust yet: see status.certificateAuthority');
    }
    if (!other.roots.has(own.root)) {
      return differ(
        'does not trust the root of this cluster yet: name this cluster in its multiCluster.remotes',
      );
    }
    return undefined;
  }
  if ([...own.roots].some((root) => other.roots.has(root))) return undefined;
  return differ(
    'trusts no root that this cluster trusts, so that workloads refuse each other: have an operator keep the authority of both, or give both intermediates of one root',
  );
}

/** Pods of one network find each other by their addresses alone. */
function addressProblem({ mesh, clusterName, own, other }: Comparison): RemoteProblem | undefined {
  if (!isInNetwork(other.meshes, clusterName, mesh.podNetwork)) return undefined;
  const clash = own.podRanges.find((range) => other.podRanges.some((theirs) => overlap(range, theirs)));
  if (clash === undefined) return undefined;
  const message = `has pods with addresses of ${clash}, as this cluster has, in one network: give each cluster a network of its own, or other addresses`;
  return { reason: 'AddressClash', isOther: false, message };
}

/** Whether the MeshOperators of a cluster say that pods there are in this network. */
export function isInNetwork(
  meshes: readonly KubernetesObject[],
  clusterName: string,
  network: string | undefined,
): boolean {
  const peer = meshes.map(multiClusterOf).find((says) => says.clusterName === clusterName);
  return peer !== undefined && peer.configCluster === undefined && (peer.network ?? '') === network;
}

function overlap(one: string, other: string): boolean {
  const [a, b] = [parseAddressBlock(one), parseAddressBlock(other)];
  return a !== undefined && b !== undefined && (containsBlock(a, b) || containsBlock(b, a));
}

function clockProblem({ other: { clockSkewMs = 0 } }: Comparison): RemoteProblem | undefined {
  if (Math.abs(clockSkewMs) <= tolerableSkewMs) return undefined;
  const seconds = Math.round(Math.abs(clockSkewMs) / 1000);
  const message = `has a clock that is ${seconds} s ${clockSkewMs > 0 ? 'ahead' : 'behind'}: certificates and tokens of one cluster may not be valid yet in the other`;
  return { reason: 'ClockSkew', isOther: false, message };
}

function multiClusterOf({ spec }: KubernetesObject): Partial<MultiCluster> {
  return (spec as { multiCluster?: Partial<MultiCluster> } | undefined)?.multiCluster ?? {};
}

function nameOf({ metadata }: KubernetesObject): string {
  return keyText({ namespace: metadata.namespace ?? '', name: metadata.name });
}
