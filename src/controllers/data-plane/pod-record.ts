import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { bundleAnnotation } from '../../api/labels.ts';
import { isRecord } from '../../base/stable-json.ts';
import { names } from '../../injection/annotation-names.ts';
import type { Container, Pod } from '../../injection/pod.ts';
import { findProxy, proxyContainerName } from '../../injection/pod.ts';

/** Annotations that decide about injection, or say what it has done. */
const keptAnnotations = [
  ...[names.inject, names.templates, names.status, names.proxyImage],
  bundleAnnotation,
];

/**
 * What the data-plane controller needs of a pod, for its cache: a cluster may have a hundred thousand of them. Of its
 * containers only the proxy is kept.
 */
export function podRecord(pod: KubernetesObject): KubernetesObject {
  const { name, namespace = '', uid = '', resourceVersion = '', labels = {} } = pod.metadata;
  const { creationTimestamp = '', deletionTimestamp, generateName } = pod.metadata;
  const { annotations = {}, ownerReferences = [] } = pod.metadata;
  const spec = recordOf(pod.spec);
  const status = recordOf(pod.status);
  const kept = keptAnnotations.filter((key) => annotations[key] !== undefined);
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: {
      ...{ name, namespace, uid, resourceVersion, creationTimestamp, labels },
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(generateName === undefined ? {} : { generateName }),
      annotations: Object.fromEntries(kept.map((key) => [key, annotations[key] ?? ''])),
      ownerReferences: ownerReferences.filter(({ controller }) => controller === true),
    },
    spec: {
      ...(spec.hostNetwork === true ? { hostNetwork: true } : {}),
      ...(spec.os === undefined ? {} : { os: spec.os }),
      ...(spec.nodeSelector === undefined ? {} : { nodeSelector: spec.nodeSelector }),
      containers: proxiesIn(spec.containers),
      initContainers: proxiesIn(spec.initContainers),
    },
    status: {
      phase: status.phase,
      isReady: isReady(status.conditions),
      hasNode: typeof spec.nodeName === 'string' && spec.nodeName !== '',
    },
  };
}

/** The record as the injection core reads a pod. */
export function asPod(record: KubernetesObject): Pod {
  return record as unknown as Pod;
}

/** False for a pod that has ended or is about to. */
export function isLive({ metadata, status }: KubernetesObject): boolean {
  const { phase } = recordOf(status);
  return metadata.deletionTimestamp === undefined && phase !== 'Succeeded' && phase !== 'Failed';
}

/** True for a pod with a sidecar, and for a gateway. */
export function hasProxy(record: KubernetesObject): boolean {
  return findProxy(asPod(record)) !== undefined;
}

/** As the record has it. */
export function isRecordReady({ status }: KubernetesObject): boolean {
  return recordOf(status).isReady === true;
}

function isReady(conditions: unknown): boolean {
  return (
    Array.isArray(conditions) &&
    conditions.filter(isRecord).some(({ type, status }) => type === 'Ready' && status === 'True')
  );
}

function proxiesIn(containers: unknown): Pick<Container, 'name' | 'image'>[] {
  const found = Array.isArray(containers) ? (containers as Container[]) : [];
  return found
    .filter(({ name }) => name === proxyContainerName)
    .map(({ name, image = '' }) => ({ name, image }));
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
