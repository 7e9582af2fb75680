import { kindInfo } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { NotFoundError } from '../base/errors.ts';
import { openConnection } from '../kube/api-connection.ts';
import { KubeClient } from '../kube/client.ts';

/** Which cluster a verb works with. */
export interface ClusterOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** Which meshes of the cluster. */
export interface MeshesOptions extends ClusterOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  /** Absent: every mesh. */
  readonly name?: string | undefined;
}

/** A client of the cluster that the options name. Throws TerminalError when the kubeconfig cannot be used. */
export function clusterClient(options: ClusterOptions, clock: Clock = systemClock): KubeClient {
  return new KubeClient({ connection: openConnection(options, clock), clock });
}

/** The MeshOperators asked for; throws NotFoundError when one that was named is not there. */
export async function listMeshes(client: KubeClient, options: MeshesOptions): Promise<KubernetesObject[]> {
  const { namespace, name } = options;
  const kind = kindInfo(meshOperatorApiVersion, meshOperatorKind);
  const { items } = await client.list(kind, { namespace }, new AbortController().signal);
  if (name === undefined) return items;
  const named = items.filter(({ metadata }) => metadata.name === name);
  if (named.length > 0) return named;
  const where = namespace === undefined ? 'any namespace' : `namespace ${namespace}`;
  throw new NotFoundError(`There is no MeshOperator ${name} in ${where}`, { reason: 'NotFound' });
}
