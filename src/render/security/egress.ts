import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { egressTlsPort } from '../../api/resolve-security.ts';
import { type ResolvedMesh, rootNamespaceOf } from '../../api/resolved-mesh.ts';
import type { ResolvedEgress } from '../../api/resolved-security.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { securityMetadata } from './security-metadata.ts';

/** What knows the hosts outside, and leads connections to them by their server name through the egress gateway. */
export function renderEgress(
  mesh: ResolvedMesh,
  context: RenderContext,
  { gateway: name, hosts }: ResolvedEgress,
): KubernetesObject[] {
  const gateway = mesh.gateways.find((candidate) => candidate.name === name);
  if (gateway === undefined) throw new Error(`There is no gateway ${name}, which validation has found`);
  const namespace = rootNamespaceOf(mesh);
  const metadata = (of: string) => securityMetadata(mesh, context, { name: of, namespace });
  const gatewayName = `${name}-egress`;
  return [
    renderObject('security/41-gateway', {
      metadata: metadata(gatewayName),
      selector: gateway.selector,
      port: egressTlsPort,
      hosts: hosts.map(({ host }) => host),
    }),
    ...hosts.flatMap(({ host, port }) => [
      renderObject('security/40-service-entry', {
        ...{ metadata: metadata(host), host, resolution: 'DNS' },
        ...{ ports: [{ number: port, name: 'tls', protocol: 'TLS' }], addresses: [], exportTo: [] },
      }),
      renderObject('security/42-virtual-service', {
        metadata: metadata(host),
        ...{ host, port },
        gateway: `${namespace}/${gatewayName}`,
        gatewayHost: `${gateway.name}.${gateway.namespace}.svc.${mesh.proxy.clusterDomain}`,
        gatewayPort: egressTlsPort,
      }),
    ]),
  ];
}
