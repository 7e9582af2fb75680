import type { JsonObject } from './resolved-mesh.ts';

/** Components that have a pod on every node, and are there once in a cluster, in the order in which they are rolled out. */
export const nodeComponents = ['cni', 'ztunnel'] as const;

/** Istio's CNI plugin looks its agent up by this name. */
export const cniDaemonSetName = 'istio-cni-node';

/** Name of ztunnel's DaemonSet and of its ServiceAccount, by which istiod knows it. */
export const ztunnelName = 'ztunnel';

/** Tolerations by which a pod is wherever there is a node, and whatever that is tainted with. */
export const everyNode: readonly JsonObject[] = [
  { effect: 'NoSchedule', operator: 'Exists' },
  { key: 'CriticalAddonsOnly', operator: 'Exists' },
  { effect: 'NoExecute', operator: 'Exists' },
];
