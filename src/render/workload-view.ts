import type { JsonObject, ResolvedMesh, ResolvedPods, ResolvedWorkload } from '../api/resolved-mesh.ts';

/**
 * What the templates of all pods share. A field is undefined when the pod has no such setting: a field that is not ours
 * must not be in the object.
 */
export interface PodView {
  readonly strategy: JsonObject | undefined;
  readonly resources: JsonObject | undefined;
  readonly imagePullPolicy: string | undefined;
  readonly imagePullSecrets: readonly JsonObject[] | undefined;
  readonly nodeSelector: Readonly<Record<string, string>> | undefined;
  readonly affinity: JsonObject | undefined;
  readonly tolerations: readonly JsonObject[] | undefined;
  readonly priorityClassName: string | undefined;
  /** The pod's, not the container's. */
  readonly securityContext: JsonObject | undefined;
}

/** What those of a Deployment share beside that. */
export interface WorkloadView extends PodView {
  readonly replicas: number | undefined;
  readonly topologySpreadConstraints: readonly JsonObject[] | undefined;
}

/** What a workload adds to the user's settings of its pods. */
export interface WorkloadOptions {
  readonly tolerations?: readonly JsonObject[];
  readonly securityContext?: JsonObject;
}

/** The settings of pods, and no more. */
export function podView(mesh: ResolvedMesh, pods: ResolvedPods, options: WorkloadOptions = {}): PodView {
  return {
    strategy: unlessEmpty(pods.strategy),
    resources: unlessEmpty(pods.resources),
    imagePullPolicy: pods.imagePullPolicy,
    imagePullSecrets: unlessEmptyList(mesh.imagePullSecrets.map((name) => ({ name }))),
    nodeSelector: unlessEmpty(pods.nodeSelector),
    affinity: unlessEmpty(pods.affinity),
    tolerations: unlessEmptyList([...(options.tolerations ?? []), ...pods.tolerations]),
    priorityClassName: pods.priorityClassName,
    securityContext: unlessEmpty({ ...options.securityContext, ...pods.securityContext }),
  };
}

/** The workload's settings with what Kubernetes' restricted Pod Security level asks of a pod. */
export function workloadView(
  mesh: ResolvedMesh,
  workload: ResolvedWorkload,
  options: WorkloadOptions = {},
): WorkloadView {
  const restricted = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
  return {
    ...podView(mesh, workload, {
      ...options,
      securityContext: { ...restricted, ...options.securityContext },
    }),
    // An HPA owns the number of replicas; naming it here would reset it with every change.
    replicas: workload.hpaSpec === undefined ? workload.replicas : undefined,
    topologySpreadConstraints: unlessEmptyList(workload.topologySpreadConstraints),
  };
}

function unlessEmpty<T extends object>(record: T | undefined): T | undefined {
  return record === undefined || Object.keys(record).length === 0 ? undefined : record;
}

function unlessEmptyList<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
