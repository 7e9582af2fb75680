import type { Components } from './spec/components.ts';
import type { GatewaySettings } from './spec/kubernetes-settings.ts';

type Service = NonNullable<GatewaySettings['service']>;

/** What distinguishes gateways of one kind from those of another, as Istio's charts have it. */
export interface GatewayKind {
  /** Its list in `spec.components`. */
  readonly list: 'ingressGateways' | 'egressGateways' | 'eastWestGateways';
  readonly serviceType: NonNullable<Service['type']>;
  readonly ports: NonNullable<Service['ports']>;
}

/** A port of the pod that is only health; load balancers check it. */
const statusPort = { name: 'status-port', port: 15021 };

/** Where gateways of other networks take the traffic of a mesh (Istio: DefaultNetworkGatewayPort). */
export const crossNetworkPort = 15443;

/** In the order in which gateways are rendered and listed. */
export const gatewayKinds: readonly GatewayKind[] = [
  {
    list: 'ingressGateways',
    serviceType: 'LoadBalancer',
    ports: [statusPort, { name: 'http2', port: 80 }, { name: 'https', port: 443 }],
  },
  {
    list: 'egressGateways',
    serviceType: 'ClusterIP',
    ports: [
      { name: 'http2', port: 80 },
      { name: 'https', port: 443 },
    ],
  },
  {
    list: 'eastWestGateways',
    serviceType: 'LoadBalancer',
    ports: [
      statusPort,
      { name: 'tls', port: crossNetworkPort },
      { name: 'tls-istiod', port: 15012 },
      { name: 'tls-webhook', port: 15017 },
    ],
  },
];

/** One gateway of any kind, as a spec or a profile writes it. */
export type AnyGateway = NonNullable<Components[GatewayKind['list']]>[number];
