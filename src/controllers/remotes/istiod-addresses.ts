import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedGateway, ResolvedMesh } from '../../api/resolved-mesh.ts';
import { externalAddresses, loadBalancerAddresses } from '../../api/service-addresses.ts';
import { isRecord } from '../../base/stable-json.ts';
import { istiodPort } from '../../render/multicluster/exposure.ts';

/**
 * Where other clusters reach the istiod of a mesh: each address of its east-west gateways that a load balancer gave or
 * that the Service has besides (`spec.externalIPs`), once. Ports of nodes do not count: proxies ask for port 15012. Pure.
 */
export function istiodAddresses(
  { gateways }: Pick<ResolvedMesh, 'gateways'>,
  serviceOf: (gateway: ResolvedGateway) => KubernetesObject | undefined,
): string[] {
  const addresses = gateways
    .filter(({ kind }) => kind === 'eastWestGateways')
    .map(serviceOf)
    .filter((service) => service !== undefined)
    .filter(passesIstiod)
    .flatMap((service) => [...loadBalancerAddresses(service), ...externalAddresses(service)]);
  return [...new Set(addresses)];
}

function passesIstiod({ spec }: KubernetesObject): boolean {
  const ports = isRecord(spec) && Array.isArray(spec.ports) ? spec.ports : [];
  return ports.some((entry) => isRecord(entry) && entry.port === istiodPort);
}
