import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { messageOf, NotFoundError } from '../../base/errors.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { PodExec } from '../../kube/pod-exec.ts';

/** What one replica of istiod says of another cluster. */
export interface ObservedReplica {
  /** `namespace/name`. */
  readonly pod: string;
  readonly uid: string;
  /** `1.30.3`: what it was built as (`istio_build`); absent where it does not say. */
  readonly release?: string;
  /** RFC 3339: when its process started (`process_start_time_seconds`). */
  readonly startedAt?: string;
  /** Changes of remote secrets that it has counted since it started (`remote_cluster_secret_events_total`). */
  readonly secretEvents: number;
  /** `synced`, `syncing`, `timeout`, `closed` (Istio pkg/kube/multicluster/cluster.go); absent: it does not know the cluster. */
  readonly syncStatus?: string;
  /** Why it says nothing. */
  readonly problem?: string;
}

const container = 'discovery';

/** Asks each replica of istiod, at once. Those that are gone are left out. */
export async function observeReplicas(
  pods: readonly KubernetesObject[],
  clusterName: string,
  exec: PodExec,
  signal: AbortSignal,
): Promise<ObservedReplica[]> {
  const replicas = await Promise.all(pods.map((pod) => observeReplica(pod, clusterName, exec, signal)));
  return replicas.filter((replica) => replica !== undefined);
}

/** Prints what the istiod in whose container it runs knows of clusters, and its metrics. */
const clustersCommand = ['pilot-discovery', 'request', 'GET', '/debug/clusterz'];
const metricsCommand = ['pilot-discovery', 'request', 'GET', '/metrics'];

async function observeReplica(
  { metadata }: KubernetesObject,
  clusterName: string,
  exec: PodExec,
  signal: AbortSignal,
): Promise<ObservedReplica | undefined> {
  const { namespace = '', name, uid = '' } = metadata;
  const target = { namespace, pod: name, container };
  const pod = `${namespace}/${name}`;
  try {
    const metrics = await exec.run(target, metricsCommand, signal);
    const clusters = await exec.run(target, clustersCommand, signal);
    const startedAt = startOf(metrics);
    const release = /^istio_build\{component="pilot",tag="([^"]+)"\}/m.exec(metrics)?.[1];
    const syncStatus = syncStatusOf(clusters, clusterName);
    return {
      ...{ pod, uid, secretEvents: secretEventsOf(metrics) },
      ...(release === undefined ? {} : { release }),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(syncStatus === undefined ? {} : { syncStatus }),
    };
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof NotFoundError) return undefined;
    return { pod, uid, secretEvents: 0, problem: `cannot be asked: ${messageOf(error)}` };
  }
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

/** What `/debug/clusterz` says of a cluster (Istio pkg/cluster/debug.go); undefined when it does not name it. */
function syncStatusOf(text: string, clusterName: string): string | undefined {
  const clusters: unknown = JSON.parse(text);
  const found = (Array.isArray(clusters) ? clusters : []).find(
    (entry) => isRecord(entry) && entry.id === clusterName,
  );
  return isRecord(found) && typeof found.syncStatus === 'string' ? found.syncStatus : undefined;
}
