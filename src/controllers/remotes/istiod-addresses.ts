import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { configClusterOf } from '../../api/resolved-multi-cluster.ts';
import { externalAddresses, loadBalancerAddresses } from '../../api/service-addresses.ts';
import { isRecord } from '../../base/stable-json.ts';
import { istiodExternalName } from '../../render/control-plane/names.ts';
import { istiodPort } from '../../render/multicluster/exposure.ts';

type PlaceOfIstiod = Pick<ResolvedMesh, 'namespace' | 'revision' | 'gateways' | 'multiCluster'>;

/**
 * Where other clusters reach the istiod of a mesh: each address of the Services that lead there which a load balancer gave
 * or that the Service has besides (`spec.externalIPs`), once. Ports of nodes do not count: proxies ask for port 15012. Pure.
 */
export function istiodAddresses(
  mesh: PlaceOfIstiod,
  serviceOf: (service: ObjectKey) => KubernetesObject | undefined,
): string[] {
  const addresses = servicesOfIstiod(mesh)
    .map(serviceOf)
    .filter((service) => service !== undefined)
    .filter(passesIstiod)
    .flatMap((service) => [...loadBalancerAddresses(service), ...externalAddresses(service)]);
  return [...new Set(addresses)];
}

/** The Services by which other clusters reach an istiod: its own, where another cluster is its own, else east-west gateways. */
export function servicesOfIstiod(mesh: PlaceOfIstiod): ObjectKey[] {
  if (configClusterOf(mesh) !== undefined) {
    return [{ namespace: mesh.namespace, name: istiodExternalName(mesh) }];
  }
  return mesh.gateways
    .filter(({ kind }) => kind === 'eastWestGateways')
    .map(({ namespace, name }) => ({ namespace, name }));
}

function passesIstiod({ spec }: KubernetesObject): boolean {
  const ports = isRecord(spec) && Array.isArray(spec.ports) ? spec.ports : [];
  return ports.some((entry) => isRecord(entry) && entry.port === istiodPort);
}
