import { isRunning } from '../../api/istiod-replicas.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { messageOf, NotFoundError } from '../../base/errors.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import type { ObservedReplica } from '../../pki/observed-trust.ts';

/** Prints the metrics of the istiod in whose container it runs. */
const metricsCommand = ['pilot-discovery', 'request', 'GET', '/metrics'];
const container = 'discovery';

/** What each replica of istiod says of the bundle it has loaded, asked at once. Those that are gone are left out. */
export async function observeReplicas(
  pods: readonly KubernetesObject[],
  exec: PodExec,
  signal: AbortSignal,
): Promise<ObservedReplica[]> {
  const replicas = await Promise.all(pods.map((pod) => observeReplica(pod, exec, signal)));
  return replicas.filter((replica) => replica !== undefined);
}

async function observeReplica(
  object: KubernetesObject,
  exec: PodExec,
  signal: AbortSignal,
): Promise<ObservedReplica | undefined> {
  const { namespace = '', name } = object.metadata;
  const pod = `${namespace}/${name}`;
  if (!isRunning(object))
    return { pod, problem: 'has not started yet, and may have mounted an older bundle' };
  try {
    const metrics = await exec.run({ namespace, pod: name, container }, metricsCommand, signal);
    const rootNotAfter = metricValue(metrics, 'citadel_server_root_cert_expiry_timestamp');
    const chainNotAfter = metricValue(metrics, 'citadel_server_cert_chain_expiry_timestamp');
    if (rootNotAfter === undefined) return { pod, problem: 'does not say which root it has loaded' };
    return { pod, rootNotAfter, ...(chainNotAfter === undefined ? {} : { chainNotAfter }) };
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof NotFoundError) return undefined;
    return { pod, problem: `cannot be asked: ${messageOf(error)}` };
  }
}

/** The value of a metric without labels in the text format of Prometheus. */
function metricValue(text: string, name: string): number | undefined {
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}
