import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import { type AskPod, askerOfIstiod, askPods } from '../../kube/ask-pods.ts';
import type { PodExec } from '../../kube/pod-exec.ts';

/** What one replica of istiod says of itself and of other clusters. */
export interface ReplicaAnswer {
  /** `namespace/name`. */
  readonly pod: string;
  readonly uid: string;
  /** `1.30.3`: what it was built as (`istio_build`); absent where it does not say. */
  readonly release?: string;
  /** RFC 3339: when its process started (`process_start_time_seconds`). */
  readonly startedAt?: string;
  /** Changes of remote secrets that it has counted since it started (`remote_cluster_secret_events_total`). */
  readonly secretEvents: number;
  /** By the name of each cluster that it knows. */
  readonly syncStatuses: ReadonlyMap<string, string>;
  /** Why it says nothing. */
  readonly problem?: string;
}

/** What one replica of istiod says of one other cluster. */
export type ObservedReplica = Omit<ReplicaAnswer, 'syncStatuses'> & {
  /** `synced`, `syncing`, `timeout`, `closed` (Istio pkg/kube/multicluster/cluster.go); absent: it does not know the cluster. */
  readonly syncStatus?: string;
};

/** Asks each replica of istiod, at once. Those that are gone are left out. */
export async function observeReplicas(
  pods: readonly KubernetesObject[],
  exec: Pick<PodExec, 'run'>,
  signal: AbortSignal,
): Promise<ReplicaAnswer[]> {
  const asked = await askPods(pods, askerOfIstiod, exec, readClusters, signal);
  return asked.map(({ object, pod, answer }) => ({
    ...{ pod, uid: object.metadata.uid ?? '', ...nothing },
    ...answer,
  }));
}

/** Of one that gives no answer. */
const nothing = { secretEvents: 0, syncStatuses: new Map<string, string>() };

/** Of what replicas have said, what concerns one cluster. */
export function replicasFor(clusterName: string, answers: readonly ReplicaAnswer[]): ObservedReplica[] {
  return answers.map(({ syncStatuses, ...replica }) => {
    const syncStatus = syncStatuses.get(clusterName);
    return syncStatus === undefined ? replica : { ...replica, syncStatus };
  });
}

/** What it knows of clusters, and what its metrics say of itself. */
async function readClusters(ask: AskPod): Promise<Omit<ReplicaAnswer, 'pod' | 'uid'>> {
  const metrics = await ask('/metrics');
  const clusters = await ask('/debug/clusterz');
  const startedAt = startOf(metrics);
  const release = /^istio_build\{component="pilot",tag="([^"]+)"\}/m.exec(metrics)?.[1];
  return {
    ...{ secretEvents: secretEventsOf(metrics), syncStatuses: syncStatusesOf(clusters) },
    ...(release === undefined ? {} : { release }),
    ...(startedAt === undefined ? {} : { startedAt }),
  };
}

/** All that was counted, of whatever kind: a new Secret is an event as well as a changed one. */
function secretEventsOf(metrics: string): number {
  return [...metrics.matchAll(/^remote_cluster_secret_events_total\{[^}]*\} (\S+)$/gm)]
    .map(([, value]) => Number(value))
    .reduce((sum, value) => sum + value, 0);
}

function startOf(metrics: string): string | undefined {
  const seconds = /^process_start_time_seconds (\S+)$/m.exec(metrics)?.[1];
  return seconds === undefined ? undefined : new Date(Number(seconds) * 1000).toISOString();
}

/** What `/debug/clusterz` says of each cluster (Istio pkg/cluster/debug.go). */
function syncStatusesOf(text: string): ReadonlyMap<string, string> {
  const clusters: unknown = JSON.parse(text);
  return new Map(
    (Array.isArray(clusters) ? clusters : [])
      .filter(isRecord)
      .map(({ id, syncStatus }) => [String(id), String(syncStatus)]),
  );
}
