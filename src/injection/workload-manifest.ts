import { isRecord } from '../base/stable-json.ts';
import type { Workload } from './injection-input.ts';
import type { Pod } from './pod.ts';

/** A pod in a manifest: a Pod itself, or the template in a workload. */
export interface ManifestPod {
  /** The kind and name of the object it is in, for messages. */
  readonly id: string;
  /** Of the object; undefined when the manifest names none. */
  readonly namespace: string | undefined;
  /** Absent for a Pod, which knows its owner itself. */
  readonly workload?: Workload;
  readonly pod: Pod;
}

/** Deeper than any List in a List. */
const maxListDepth = 8;

/** Where the pod template is in each kind that has one. */
const templatePaths: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Job: ['spec', 'template'],
  DeploymentConfig: ['spec', 'template'],
  Rollout: ['spec', 'template'],
  PodTemplate: ['template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/**
 * The manifest with each of its pods replaced by what `change` makes of it; objects without pods, and Lists of them,
 * stay as they are. A copy where something changes; the order of keys is kept.
 */
export function mapPods(manifest: unknown, change: (pod: ManifestPod) => Pod): unknown {
  return mapObject(manifest, change, 0);
}

function mapObject(object: unknown, change: (pod: ManifestPod) => Pod, depth: number): unknown {
  if (!isRecord(object) || typeof object.kind !== 'string' || depth > maxListDepth) return object;
  if (object.kind.endsWith('List') && Array.isArray(object.items)) {
    return { ...object, items: object.items.map((item) => mapObject(item, change, depth + 1)) };
  }
  if (object.kind === 'Pod') return change(manifestPod(object, object as unknown as Pod));
  const path = Object.hasOwn(templatePaths, object.kind) ? templatePaths[object.kind] : undefined;
  return path === undefined ? object : mapTemplate(object, object, path, change);
}

function mapTemplate(
  object: Record<string, unknown>,
  at: Record<string, unknown>,
  [key = '', ...rest]: readonly string[],
  change: (pod: ManifestPod) => Pod,
): Record<string, unknown> {
  const inner = Object.hasOwn(at, key) ? at[key] : undefined;
  if (!isRecord(inner)) return at;
  if (rest.length > 0) return { ...at, [key]: mapTemplate(object, inner, rest, change) };
  // A template may have no metadata at all.
  const pod = { ...(isRecord(inner.metadata) ? {} : { metadata: {} }), ...inner } as unknown as Pod;
  return { ...at, [key]: change(manifestPod(object, pod)) };
}

function manifestPod(object: Record<string, unknown>, pod: Pod): ManifestPod {
  const metadata = isRecord(object.metadata) ? object.metadata : {};
  const name = textOf(metadata.name) ?? textOf(metadata.generateName)?.replace(/-$/, '') ?? '';
  const kind = String(object.kind);
  return {
    id: `${kind} ${name === '' ? '(no name)' : name}`,
    namespace: textOf(metadata.namespace),
    ...(kind === 'Pod' ? {} : { workload: { apiVersion: textOf(object.apiVersion) ?? '', kind, name } }),
    pod,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
