/** Another cluster of the mesh. */
export interface ResolvedRemote {
  readonly clusterName: string;
  /** Whether it has an istiod of its own, or follows that of this one. */
  readonly role: 'Primary' | 'Remote';
  /** Whom the operator is there, by a Secret in the namespace of the mesh. */
  readonly access: RemoteAccess;
  /** Address of its API server for istiod; absent: that of the operator. */
  readonly server?: string;
  /** Name in the certificate of the API server; absent: the host of its address. */
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
  readonly credential:
    | { readonly type: 'Bound'; readonly lifetimeMs: number }
    | { readonly type: 'LongLived' };
}

/** How the operator gets into another cluster. */
export type RemoteAccess =
  | { readonly by: 'kubeconfig'; readonly secretName: string; readonly key: string }
  | { readonly by: 'token'; readonly secretName: string; readonly server: string };

/** A mesh of several clusters, as one of them sees it. */
export interface ResolvedMultiCluster {
  readonly role: 'Primary' | 'Remote';
  /** The one of `remotes` that istiod has for its own cluster; absent: this one. */
  readonly configCluster?: string;
  readonly remotes: readonly ResolvedRemote[];
}

/** The cluster that the istiod of a mesh has for its own, where that is not the one in which it runs. */
export function configClusterOf({
  multiCluster,
}: {
  readonly multiCluster?: ResolvedMultiCluster | undefined;
}): string | undefined {
  return multiCluster?.configCluster;
}

/** The network that pods of a mesh are in here; undefined where there are none. */
export function podNetworkOf(mesh: {
  readonly network: string;
  readonly multiCluster?: ResolvedMultiCluster | undefined;
}): string | undefined {
  return configClusterOf(mesh) === undefined ? mesh.network : undefined;
}

/** The other clusters that the istiod of a mesh reads: none where it has no istiod of its own. */
export function remotesOf({
  multiCluster,
}: {
  readonly multiCluster?: ResolvedMultiCluster | undefined;
}): readonly ResolvedRemote[] {
  return multiCluster?.role === 'Primary' ? multiCluster.remotes : [];
}

/** The istiod that a cluster without one follows. */
export interface ResolvedRemoteIstiod {
  /** IP addresses and host names; empty while nobody has said any. */
  readonly addresses: readonly string[];
  /** Whether the cluster that has it says where it is, by a ConfigMap (`primary-statement.ts`). */
  readonly isTold: boolean;
}
