import { type Clock, commandClock } from '../base/clock.ts';
import { type ApiConnection, openConnection } from '../kube/api-connection.ts';
import { KubeClient } from '../kube/client.ts';
import type { ClusterOptions } from './cluster.ts';
import { UsageError } from './terminal.ts';

/** Which other cluster a verb works with beside that of `ClusterOptions`. */
export interface OtherClusterOptions extends ClusterOptions {
  /** Absent: the kubeconfig of this cluster. */
  readonly remoteKubeconfig?: string | undefined;
  /** Absent: the current context of that kubeconfig. */
  readonly remoteContext?: string | undefined;
}

/** A client of the other cluster, and its connection. */
export interface OtherCluster {
  readonly client: KubeClient;
  readonly connection: ApiConnection;
}

/** Opens nothing yet. Throws UsageError when the options do not say which cluster. */
export function openOtherCluster(options: OtherClusterOptions, clock: Clock = commandClock): OtherCluster {
  const { kubeconfig, remoteKubeconfig, remoteContext } = options;
  if (remoteKubeconfig === undefined && remoteContext === undefined) {
    throw new UsageError('Which other cluster? Give --remote-context, --remote-kubeconfig, or both');
  }
  const connection = openConnection(
    { kubeconfig: remoteKubeconfig ?? kubeconfig, context: remoteContext },
    clock,
  );
  return { client: new KubeClient({ connection, clock }), connection };
}
