import { crossNetworkPort } from '../../api/gateway-kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { networkLabel } from '../../api/labels.ts';
import type { ResolvedGateway, ResolvedMesh } from '../../api/resolved-mesh.ts';
import { istiodName } from '../control-plane/names.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';

/** Where proxies reach istiod (Istio: XDS and CA over TLS). */
export const istiodPort = 15012;

/**
 * What east-west gateways let in from other clusters: the services of this one, encrypted from end to end, where it has a
 * network of its own; and istiod, where a cluster has none of its own.
 */
export function renderExposure(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const { multiCluster } = mesh;
  // Where there is no istiod, nobody reads them: those of the cluster that has it count for the gateways of both.
  if (multiCluster === undefined || multiCluster.role === 'Remote') return [];
  // It has neither gateways here nor anything else to expose, and istiod a Service of its own.
  if (multiCluster.configCluster !== undefined) return [];
  const gateways = mesh.gateways.filter(({ kind }) => kind === 'eastWestGateways');
  const ofNetwork = gateways.filter(({ labels }) => labels[networkLabel] !== undefined);
  const exposesIstiod = multiCluster.remotes.some(({ role }) => role === 'Remote');
  return [
    ...ofNetwork.map((gateway) =>
      renderGateway(mesh, context, gateway, {
        ...{ name: `${gateway.name}-services`, mode: 'AUTO_PASSTHROUGH' },
        port: portOf(gateway),
        host: `*.${mesh.proxy.clusterDomain}`,
      }),
    ),
    ...(exposesIstiod && mesh.pilot.enabled ? renderIstiodExposure(mesh, context, gateways) : []),
  ];
}

function renderIstiodExposure(
  mesh: ResolvedMesh,
  context: RenderContext,
  gateways: readonly ResolvedGateway[],
): KubernetesObject[] {
  // The name that proxies ask for, wherever they reach it.
  const host = `${istiodName(mesh)}.${mesh.namespace}.svc`;
  const name = (gateway: ResolvedGateway) => `${gateway.name}-${istiodName(mesh)}`;
  return [
    ...gateways.map((gateway) =>
      renderGateway(mesh, context, gateway, {
        ...{ name: name(gateway), mode: 'PASSTHROUGH', port: istiodPort, host },
      }),
    ),
    renderObject('multicluster/11-virtual-service', {
      metadata: objectMetadata(mesh, context, {
        ...{ name: `${istiodName(mesh)}-of-other-clusters`, namespace: mesh.namespace },
        component: 'istiod',
      }),
      gateways: gateways.map((gateway) => `${gateway.namespace}/${name(gateway)}`),
      ...{ host, port: istiodPort, destination: `${host}.${mesh.proxy.clusterDomain}` },
    }),
  ];
}

function renderGateway(
  mesh: ResolvedMesh,
  context: RenderContext,
  { namespace, selector, name: component }: ResolvedGateway,
  {
    name,
    ...view
  }: { readonly name: string; readonly port: number; readonly host: string; readonly mode: string },
): KubernetesObject {
  return renderObject('multicluster/10-gateway', {
    metadata: objectMetadata(mesh, context, { name, namespace, component }),
    selector,
    ...view,
  });
}

/** Where other networks send to: the usual port, or the one that the label of the gateway names. */
function portOf({ labels }: ResolvedGateway): number {
  return Number(labels['networking.istio.io/gatewayPort'] ?? crossNetworkPort);
}
