import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type Right, rightsText } from '../../api/right.ts';
import type { Clock } from '../../base/clock.ts';
import { NotFoundError, TerminalError } from '../../base/errors.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { anyVersion, type ClusterFacts, readCluster, readPodRanges } from './cluster-facts.ts';

/** What was found of another cluster. */
export interface RemoteFacts extends ClusterFacts {
  /** `v1.35.1` */
  readonly kubernetesVersion: string;
  /** Its clock less ours, in milliseconds; to the second. Undefined when it does not say. */
  readonly clockSkewMs: number | undefined;
  /** Its MeshOperators that are part of some mesh of several clusters. */
  readonly meshes: readonly KubernetesObject[];
}

const meshKind = kindInfo('meshoperator.dev/v1alpha1', 'MeshOperator');

/** Asks another cluster who it is; `namespace` is that of the mesh, and its MeshOperators say whether addresses matter. Throws what the client throws: unreachable, refused, not allowed. */
export async function probeRemote(
  client: KubeClient,
  namespace: string,
  clock: Clock,
  signal: AbortSignal,
  needsPodRanges: (meshes: readonly KubernetesObject[]) => boolean = () => true,
): Promise<RemoteFacts> {
  const askedAt = clock.now().getTime();
  // By itself: the time that the answer takes is taken for a difference of clocks.
  const { version, time } = await client.serverFacts(signal);
  const answeredAt = clock.now().getTime();
  const [facts, meshes] = await Promise.all([
    readCluster(client, namespace, signal),
    listMeshes(client, signal),
  ]);
  return {
    ...facts,
    ...(needsPodRanges(meshes) ? { podRanges: await readPodRanges(client, signal) } : {}),
    meshes,
    kubernetesVersion: version,
    clockSkewMs: time === undefined ? undefined : skewOf(time, askedAt, answeredAt),
  };
}

/** Zero within the second that the header leaves out, and the time that the answer took. */
function skewOf(serverTime: Date, askedAt: number, answeredAt: number): number {
  const earliest = serverTime.getTime();
  if (earliest > answeredAt) return earliest - answeredAt;
  return Math.min(0, earliest + 1_000 - askedAt);
}

async function listMeshes(client: KubeClient, signal: AbortSignal): Promise<readonly KubernetesObject[]> {
  try {
    const { items } = await client.list(meshKind, { resourceVersion: anyVersion }, signal);
    return items.filter(({ spec }) => isRecord(spec) && isRecord(spec.multiCluster));
  } catch (error) {
    // There is no operator.
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}

/** Throws TerminalError that names what the operator may not do there. */
export async function assertRights(
  client: KubeClient,
  rights: readonly Right[],
  signal: AbortSignal,
): Promise<void> {
  const allowed = await Promise.all(rights.map((right) => client.mayI(right, signal)));
  const missing = rights.filter((_, index) => allowed[index] !== true);
  if (missing.length === 0) return;
  throw new TerminalError(`may not ${rightsText(missing)}`, { reason: 'RightsMissing' });
}
