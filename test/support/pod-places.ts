import type { EvaluatedPod } from '../../src/render/network-policy/evaluate-network-policies.ts';
import type { GuardedMesh, PartyName } from '../../src/render/network-policy/parties.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { everywhere, type Place } from './flow-places.ts';

/** A pod of a cluster that has an address of its own. */
export type AddressedPod = EvaluatedPod & {
  readonly metadata: { readonly namespace: string };
  readonly status: { readonly podIP: string };
};

/** Every pod of a cluster that runs in a network of its own. */
export async function addressedPods(cluster: Cluster): Promise<AddressedPod[]> {
  const { items } = JSON.parse(await cluster.kubectl('get', 'pods', '-A', '-o', 'json')) as {
    items: AddressedPod[];
  };
  return items.filter(({ spec, status }) => spec.hostNetwork !== true && status.phase === 'Running');
}

/** What each pod, the node with its API server, and this machine are to a mesh, by the names of pods; in this order for every mesh. */
export function placesOf(mesh: GuardedMesh, pods: readonly AddressedPod[], cluster: Cluster): Place[] {
  return [
    ...pods.map((pod) => podPlace(mesh, pod)),
    { name: 'node', address: cluster.nodeAddress, is: [...everywhere, 'node', 'apiServer'] },
    { name: 'this machine', address: cluster.hostAddress, is: everywhere },
  ];
}

function podPlace(mesh: GuardedMesh, pod: AddressedPod): Place {
  const { name, namespace } = pod.metadata;
  const gateway = mesh.gateways.find((candidate) => isPodOf(candidate, pod));
  const isWorkload = mesh.tenancy === undefined || mesh.memberNamespaces.includes(namespace);
  const own: PartyName[] = [
    ...(isPodOf({ name: 'istiod', namespace: mesh.namespace }, pod) ? (['istiod'] as const) : []),
    ...(isPodOf({ name: 'sidecar-injector', namespace: mesh.namespace }, pod) ? (['injector'] as const) : []),
    ...(gateway === undefined ? [] : ([gateway.kind] as const)),
    ...(isWorkload ? (['workloads'] as const) : []),
    ...(isPodOf({ name: 'coredns', namespace: 'kube-system' }, pod) ? (['dns'] as const) : []),
    ...(mesh.networkPolicy.monitoring.includes(namespace) ? (['monitoring'] as const) : []),
  ];
  return {
    ...{ name: `${namespace}/${name}`, address: pod.status.podIP, is: [...everywhere, ...own], pod },
    ...(gateway === undefined ? {} : { gateway: gateway.name }),
  };
}

/** Pods are named after their Deployment. */
function isPodOf(
  owner: { readonly name: string; readonly namespace: string },
  { metadata }: AddressedPod,
): boolean {
  return metadata.namespace === owner.namespace && metadata.name.startsWith(`${owner.name}-`);
}
