import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { isRecord } from '../../src/base/stable-json.ts';

/** What the API server or a controller gives an object when it is made. */
const givenFields = [
  ...['status', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields'],
  ...['clusterIP', 'clusterIPs', 'nodePort', 'healthCheckNodePort', 'deployment.kubernetes.io/revision'],
  'deprecated.daemonset.template.generation',
];

/**
 * An object without what differs between two that were made alike, for comparisons. A map that holds nothing else is
 * left out: a Deployment has no annotations until its controller has counted its first revision.
 */
export function observedFields(object: KubernetesObject): unknown {
  const { ownerReferences, ...metadata } = object.metadata;
  const rest = strip({ ...object, metadata }) as Record<string, unknown>;
  return { ...rest, ownerReferences };
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([field, inner]) => !isGiven(field, inner));
  return Object.fromEntries(kept.map(([field, inner]) => [field, strip(inner)]));
}

function isGiven(field: string, value: unknown): boolean {
  if (givenFields.includes(field)) return true;
  return (
    field === 'annotations' && isRecord(value) && Object.keys(value).every((key) => givenFields.includes(key))
  );
}
