import type { KubernetesObject, OwnerReference } from '../../src/api/kubernetes-object.ts';
import { podRecord } from '../../src/controllers/data-plane/pod-record.ts';

export interface PodRecordOptions {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly phase?: string;
  readonly isReady?: boolean;
  readonly isTerminating?: boolean;
  /** Image of its sidecar; absent for a bare pod. */
  readonly proxyImage?: string;
  /** Kind and uid of its controller; null for a pod of nobody. Default: a ReplicaSet. */
  readonly controller?: { readonly kind: string; readonly uid: string } | null;
  /** Name of its controller. */
  readonly owner?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A running pod of an app, as the data-plane controller keeps it. */
export function aPodRecord(options: PodRecordOptions = {}): KubernetesObject {
  const { name = 'app-1', namespace = 'app', labels = {}, annotations = {}, phase = 'Running' } = options;
  const { isReady = true, isTerminating = false, proxyImage, spec = {} } = options;
  const { controller = { kind: 'ReplicaSet', uid: 'rs' }, owner = 'owner', generateName } = options;
  const owners: OwnerReference[] =
    controller === null ? [] : [{ apiVersion: 'apps/v1', name: owner, controller: true, ...controller }];
  const proxy = proxyImage === undefined ? [] : [{ name: 'istio-proxy', image: proxyImage }];
  return podRecord({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace, uid: `uid-${name}`, labels, annotations, ownerReferences: owners },
      ...(generateName === undefined ? {} : { generateName }),
      ...(isTerminating ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { containers: [{ name: 'app', image: 'app' }], initContainers: proxy, ...spec },
    status: { phase, conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
  });
}
