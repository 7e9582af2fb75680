import { isRunning } from '../../api/istiod-replicas.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type AskPod, askerOfIstiod, askPods } from '../../kube/ask-pods.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import type { ObservedReplica } from '../../pki/observed-trust.ts';

/** What each replica of istiod says of the bundle it has loaded, asked at once. Those that are gone are left out. */
export async function observeReplicas(
  pods: readonly KubernetesObject[],
  exec: PodExec,
  signal: AbortSignal,
): Promise<ObservedReplica[]> {
  const asked = await askPods(pods, askerOfIstiod, exec, readLoadedBundle, signal);
  return asked.map(({ pod, answer }) => ({ pod, ...answer }));
}

async function readLoadedBundle(
  ask: AskPod,
  object: KubernetesObject,
): Promise<Omit<ObservedReplica, 'pod'>> {
  if (!isRunning(object)) return { problem: 'has not started yet, and may have mounted an older bundle' };
  const metrics = await ask('/metrics');
  const rootNotAfter = metricValue(metrics, 'citadel_server_root_cert_expiry_timestamp');
  const chainNotAfter = metricValue(metrics, 'citadel_server_cert_chain_expiry_timestamp');
  if (rootNotAfter === undefined) return { problem: 'does not say which root it has loaded' };
  return { rootNotAfter, ...(chainNotAfter === undefined ? {} : { chainNotAfter }) };
}

/** The value of a metric without labels in the text format of Prometheus. */
function metricValue(text: string, name: string): number | undefined {
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}
