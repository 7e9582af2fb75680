import type { JsonObject, ResolvedMesh, ResolvedWorkload } from '../api/resolved-mesh.ts';

/**
 * What the templates of every workload share. A field is undefined when the pod has no such setting: a field
 * that is not ours must not be in the object.
 */
export interface WorkloadView {
  readonly replicas: number | undefined;
  readonly strategy: JsonObject | undefined;
  readonly resources: JsonObject | undefined;
  readonly imagePullPolicy: string | undefined;
  readonly imagePullSecrets: readonly JsonObject[] | undefined;
  readonly nodeSelector: Readonly<Record<string, string>> | undefined;
  readonly affinity: JsonObject | undefined;
  readonly tolerations: readonly JsonObject[] | undefined;
  readonly topologySpreadConstraints: readonly JsonObject[] | undefined;
  readonly priorityClassName: string | undefined;
  /** The pod's, not the container's. */
  readonly securityContext: JsonObject;
}

/** What a workload adds to the user's settings of its pods. */
export interface WorkloadOptions {
  readonly tolerations?: readonly JsonObject[];
  readonly securityContext?: JsonObject;
}

/** The workload's settings with what Kubernetes' restricted Pod Security level asks of a pod. */
export function workloadView(
  mesh: ResolvedMesh,
  workload: ResolvedWorkload,
  options: WorkloadOptions = {},
): WorkloadView {
  return {
    // An HPA owns the number of replicas; naming it here would reset it with every change.
    replicas: workload.hpaSpec === undefined ? workload.replicas : undefined,
    strategy: unlessEmpty(workload.strategy),
    resources: unlessEmpty(workload.resources),
    imagePullPolicy: workload.imagePullPolicy,
    imagePullSecrets: unlessEmptyList(mesh.imagePullSecrets.map((name) => ({ name }))),
    nodeSelector: unlessEmpty(workload.nodeSelector),
    affinity: unlessEmpty(workload.affinity),
    tolerations: unlessEmptyList([...(options.tolerations ?? []), ...workload.tolerations]),
    topologySpreadConstraints: unlessEmptyList(workload.topologySpreadConstraints),
    priorityClassName: workload.priorityClassName,
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
      ...options.securityContext,
      ...workload.securityContext,
    },
  };
}

function unlessEmpty<T extends object>(record: T | undefined): T | undefined {
  return record === undefined || Object.keys(record).length === 0 ? undefined : record;
}

function unlessEmptyList<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
