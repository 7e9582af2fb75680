/** Components that have a pod on every node, and are there once in a cluster, in the order in which they are rolled out. */
export const nodeComponents = ['cni'] as const;

/** Istio's CNI plugin looks its agent up by this name. */
export const cniDaemonSetName = 'istio-cni-node';
