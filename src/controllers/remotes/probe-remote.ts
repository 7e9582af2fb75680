import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { Right } from '../../api/right.ts';
import type { Clock } from '../../base/clock.ts';
import { NotFoundError } from '../../base/errors.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { rightsInRemote } from '../../render/multicluster/operator-access.ts';
import { readerRoleName } from '../../render/multicluster/reader.ts';
import { clockSkewMs } from './clock-skew.ts';
import {
  anyVersion,
  type ClusterFacts,
  type HeardStatement,
  readCluster,
  readPodRanges,
} from './cluster-facts.ts';
import { lackingRights } from './reader-rights.ts';

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

/** What need not be asked of another cluster. */
export interface ProbeOptions {
  /** By its MeshOperators, whether addresses of pods matter; default that they do. */
  readonly needsPodRanges?: (meshes: readonly KubernetesObject[]) => boolean;
  /** What it says of its trust; absent: it is asked. */
  readonly heard?: HeardStatement | undefined;
}

/** Asks another cluster who it is; `namespace` is that of the mesh. Throws what the client throws: unreachable, refused, not allowed. */
export async function probeRemote(
  client: KubeClient,
  namespace: string,
  clock: Clock,
  signal: AbortSignal,
  { needsPodRanges = () => true, heard }: ProbeOptions = {},
): Promise<RemoteFacts> {
  const askedAt = clock.now().getTime();
  // By itself: the time that the answer takes is taken for a difference of clocks.
  const { version, time } = await client.serverFacts(signal);
  const answeredAt = clock.now().getTime();
  const [facts, meshes] = await Promise.all([
    readCluster(client, namespace, signal, heard),
    listMeshes(client, signal),
  ]);
  return {
    ...facts,
    ...(needsPodRanges(meshes) ? { podRanges: await readPodRanges(client, signal) } : {}),
    meshes,
    kubernetesVersion: version,
    clockSkewMs: time === undefined ? undefined : clockSkewMs(time, askedAt, answeredAt),
  };
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

/** What the operator does there for a mesh and may not do. */
export async function missingInRemote(
  client: KubeClient,
  mesh: ResolvedMesh,
  isConfigCluster: boolean,
  signal: AbortSignal,
): Promise<readonly Right[]> {
  const [missing, ungivable] = await Promise.all([
    missingOf(client, rightsInRemote(mesh, isConfigCluster), signal),
    ungivableRights(client, mesh, isConfigCluster, signal),
  ]);
  return [...missing, ...ungivable];
}

async function missingOf(
  client: KubeClient,
  rights: readonly Right[],
  signal: AbortSignal,
): Promise<readonly Right[]> {
  const allowed = await Promise.all(rights.map((right) => client.mayI(right, signal)));
  return rights.filter((_, index) => allowed[index] !== true);
}

/**
 * What istiod's reader needs and the operator could not give it: what roles do not give the operator itself, unless it may
 * write and bind any role of that name (Kubernetes pkg/registry/rbac/validation and escalation_check.go).
 */
async function ungivableRights(
  client: KubeClient,
  mesh: ResolvedMesh,
  isConfigCluster: boolean,
  signal: AbortSignal,
): Promise<readonly Right[]> {
  const lacking = await lackingRights(client, mesh, isConfigCluster, signal);
  if (lacking.length === 0) return [];
  const role = {
    group: 'rbac.authorization.k8s.io',
    resource: 'clusterroles',
    name: readerRoleName(mesh),
  };
  const anyway = ['escalate', 'bind'].map((verb) => ({ verb, ...role }));
  return (await missingOf(client, anyway, signal)).length === 0 ? [] : lacking;
}
