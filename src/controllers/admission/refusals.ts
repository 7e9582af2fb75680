import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';

/**
 * Watches for pods that workload controllers could not create because an injector could not be asked. Kubernetes
 * writes an Event with reason FailedCreate then (pkg/controller/replicaset and others), so nothing has to be polled.
 * Indexed by the host of the webhook, such as `sidecar-injector.istio-system.svc`.
 */
export function createRefusalInformer(deps: InformerDeps): Informer {
  return new Informer(
    {
      kind: kindInfo('v1', 'Event'),
      fieldSelector: 'reason=FailedCreate',
      transform: withoutOtherText,
      index: (event) => hostOf(event),
    },
    deps,
  );
}

/** When the pod was refused, the last time. */
export function refusalTime(event: KubernetesObject): Date {
  const times = [event.lastTimestamp, event.eventTime, event.metadata.creationTimestamp]
    .map((time) => (typeof time === 'string' ? new Date(time).getTime() : Number.NaN))
    .filter((time) => !Number.isNaN(time));
  return new Date(Math.max(0, ...times));
}

/** `failed calling webhook "...": failed to call webhook: Post "https://HOST:443/inject?timeout=5s": ...` */
const webhookHost = /failed calling webhook "[^"]*\.mesh-operator\.istio\.io".*https:\/\/([a-z0-9.-]+)[:/]/s;

/** The webhook that could not be asked; none when the pod was refused for another reason. */
export function hostOf(event: KubernetesObject): string[] {
  const host = webhookHost.exec(String(event.message ?? ''))?.[1];
  return host === undefined ? [] : [host];
}

/** Most such Events are about quotas and the like: of those nothing is kept but their names. */
function withoutOtherText(event: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata, message, lastTimestamp, eventTime } = event;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const kept = { name, namespace, uid, resourceVersion, creationTimestamp } as KubernetesObject['metadata'];
  return hostOf(event).length === 0
    ? { apiVersion, kind, metadata: kept }
    : { apiVersion, kind, metadata: kept, message, lastTimestamp, eventTime };
}
