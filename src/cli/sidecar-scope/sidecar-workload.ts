import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import { proxyRevision } from '../../controllers/data-plane/observed-pods.ts';
import { asPod, isLive } from '../../controllers/data-plane/pod-record.ts';
import { findProxy } from '../../injection/pod.ts';
import { inferWorkload } from '../../injection/workload-owner.ts';
import { recordOf, recordsIn } from './mesh-host.ts';
import { type WorkloadName, workloadText } from './observed-traffic.ts';

/** A workload whose pods run with a sidecar, under the name that metrics have of it. */
export interface SidecarWorkload extends WorkloadName {
  /** Of one of its pods. */
  readonly labels: Readonly<Record<string, string>>;
  /** The revision that its proxies follow; undefined: they do not say. */
  readonly revision: string | undefined;
  /** Labels that its pods have and no others of its namespace; undefined when its controller names none. */
  readonly selector: Readonly<Record<string, string>> | undefined;
}

/** Gateways are left out: no Sidecar is for them. */
export function sidecarWorkloads(cluster: {
  readonly pods: readonly KubernetesObject[];
  readonly controllers: readonly KubernetesObject[];
}): SidecarWorkload[] {
  const found = new Map<string, Omit<SidecarWorkload, 'selector'> & { readonly kind: string }>();
  for (const object of cluster.pods.filter(hasSidecar)) {
    const { name: workload, kind } = inferWorkload(asPod(object));
    const { namespace = '', labels = {} } = object.metadata;
    const entry = { namespace, workload, kind, labels, revision: proxyRevision(object) };
    found.set(workloadText(entry), entry);
  }
  const workloads = [...found.values()];
  const controllers = new Map(cluster.controllers.map((object) => [controllerKey(object), object]));
  return workloads.map(({ kind, ...workload }) => {
    const { namespace } = workload;
    const object = controllers.get(controllerKey({ kind, metadata: { namespace, name: workload.workload } }));
    const selector = object === undefined ? undefined : plainSelector(object);
    const isOthers = workloads.some(
      (other) =>
        other.namespace === namespace &&
        other.workload !== workload.workload &&
        selector !== undefined &&
        hasLabels(other.labels, selector),
    );
    return { ...workload, selector: isOthers ? undefined : selector };
  });
}

/** True when the labels are among those of a workload (Istio: WorkloadSelector). */
export function hasLabels(
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

function hasSidecar(object: KubernetesObject): boolean {
  if (!isRecord(object.spec) || !isRecord(object.status) || !isLive(object)) return false;
  return findProxy(asPod(object))?.args?.includes('sidecar') === true;
}

function controllerKey({ kind, metadata }: Pick<KubernetesObject, 'kind' | 'metadata'>): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}

/** A Sidecar selects by labels alone. */
function plainSelector({ spec }: KubernetesObject): Readonly<Record<string, string>> | undefined {
  const { matchLabels, matchExpressions } = recordOf(recordOf(spec).selector);
  if (!isRecord(matchLabels) || recordsIn(matchExpressions).length > 0) return undefined;
  return matchLabels as Record<string, string>;
}
