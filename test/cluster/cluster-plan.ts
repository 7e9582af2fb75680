/** What a cluster's nodes are: none at all, simulated by KWOK, or a real kubelet with containers. */
export type NodeKind = 'none' | 'kwok' | 'kubelet';

/** Every kind, for messages and for reading command lines. */
export const nodeKinds: readonly NodeKind[] = ['none', 'kwok', 'kubelet'];

/** Addresses and ports of one cluster; all of it follows from the kind and the cluster's number. */
export interface ClusterPlan {
  /** Lowest number that no other cluster of its sort when this one started. */
  readonly index: number;
  /** Where the API server listens: a loopback address of its own, or the node's address. */
  readonly apiAddress: string;
  readonly ports: ClusterPorts;
  readonly podCidr: string;
  /** The part of podCidr that the (only) real node gives to its pods. */
  readonly nodePodCidr: string;
  readonly serviceCidr: string;
  /** The Service `kubernetes`. */
  readonly firstServiceAddress: string;
  readonly dnsAddress: string;
  /** Addresses for Services of type LoadBalancer. */
  readonly loadBalancerCidr: string;
  /** This machine, as processes and pods of the cluster reach it. */
  readonly hostAddress: string;
  /** The real node; with other kinds only an address that is written and never called. */
  readonly nodeAddress: string;
}

/** Ports of the processes; free ones on the shared loopback, the usual ones in namespaces of its own. */
export interface ClusterPorts {
  readonly etcdClient: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
  readonly controllerManager: number;
  readonly scheduler: number;
  readonly kwok: number;
}

/** The usual ports, for a cluster that has a loopback of its own. */
export const usualPorts: ClusterPorts = {
  etcdClient: 2379,
  etcdPeer: 2380,
  apiServer: 6443,
  controllerManager: 10257,
  scheduler: 10259,
  kwok: 10247,
};

/** How many clusters of a kind can run side by side: real nodes until their pods' 10.(244+i).0.0/16 end at 10.255. */
export function maximumClusters(nodes: NodeKind): number {
  return nodes === 'kubelet' ? 12 : 250;
}

/** The loopback address of the i-th cluster without a real node. */
export function loopbackAddress(index: number): string {
  return `127.200.${index}.1`;
}

/** Address plan of the i-th cluster. */
export function planCluster(nodes: NodeKind, index: number, ports: ClusterPorts): ClusterPlan {
  const isReal = nodes === 'kubelet';
  const network = index % maximumClusters('kubelet'); // without a real node nobody routes to these addresses
  const nodeAddress = `10.200.${network}.2`;
  return {
    index,
    apiAddress: isReal ? nodeAddress : loopbackAddress(index),
    ports,
    podCidr: `10.${244 + network}.0.0/16`,
    nodePodCidr: `10.${244 + network}.0.0/24`,
    serviceCidr: `10.${96 + network}.0.0/16`,
    firstServiceAddress: `10.${96 + network}.0.1`,
    dnsAddress: `10.${96 + network}.0.10`,
    loadBalancerCidr: `10.202.${network}.0/24`,
    hostAddress: isReal ? `10.200.${network}.1` : '127.0.0.1',
    nodeAddress,
  };
}
