import type { JsonObject } from '../api/resolved-mesh.ts';

/** An environment variable of a container. */
export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: JsonObject;
}

/** A container as far as we read or write it; what else it has stays as it is. */
export interface Container {
  name: string;
  image?: string;
  args?: string[];
  env?: EnvVar[];
  ports?: JsonObject[];
  securityContext?: JsonObject;
  readinessProbe?: JsonObject;
  livenessProbe?: JsonObject;
  startupProbe?: JsonObject;
  lifecycle?: Record<string, JsonObject>;
  [field: string]: unknown;
}

export interface PodMetadata {
  name?: string;
  generateName?: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: JsonObject[];
  [field: string]: unknown;
}

export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  volumes?: JsonObject[];
  imagePullSecrets?: JsonObject[];
  hostNetwork?: boolean;
  serviceAccountName?: string;
  securityContext?: JsonObject;
  [field: string]: unknown;
}

/** A Kubernetes pod, or the pod template of a workload. */
export interface Pod {
  apiVersion?: string;
  kind?: string;
  metadata: PodMetadata;
  spec: PodSpec;
  [field: string]: unknown;
}

export const proxyContainerName = 'istio-proxy';
export const initContainerName = 'istio-init';
export const validationContainerName = 'istio-validation';

/** The proxy's container, wherever it is. */
export function findProxy(pod: Pod): Container | undefined {
  return (
    findContainer(pod.spec.containers, proxyContainerName) ??
    findContainer(pod.spec.initContainers, proxyContainerName)
  );
}

export function findContainer(
  containers: readonly Container[] | undefined,
  name: string,
): Container | undefined {
  return containers?.find((container) => container.name === name);
}

/** The annotation's value; undefined when the pod does not have it, also for names that every object has. */
export function annotationOf(pod: Pod, name: string): string | undefined {
  return ownText(pod.metadata.annotations, name);
}

/** The label's value; undefined when the pod does not have it. */
export function labelOf(pod: Pod, name: string): string | undefined {
  return ownText(pod.metadata.labels, name);
}

/** A name for messages: the pod's own, or what its name will begin with. */
export function podNameText(pod: Pod): string {
  return pod.metadata.name || (pod.metadata.generateName ? `${pod.metadata.generateName}*` : '(no name)');
}

function ownText(map: Readonly<Record<string, string>> | null | undefined, name: string): string | undefined {
  return map !== undefined && map !== null && Object.hasOwn(map, name) ? map[name] : undefined;
}
