import { crossNetworkPort } from '../../api/gateway-kinds.ts';
import type { PolicyPort } from '../../api/network-policy.ts';
import { configClusterOf, remotesOf } from '../../api/resolved-multi-cluster.ts';
import { isRecord } from '../../base/stable-json.ts';
import { istiodPort } from '../multicluster/exposure.ts';
import { type End, foreignAuthority, type GuardedMesh, type PartyName } from './parties.ts';

/** Ports that one row of the table is about. */
interface FlowPorts {
  /** For the reference page. */
  readonly text: string;
  /** Empty: none, so there is no such connection. */
  of(mesh: GuardedMesh, to: End): readonly PolicyPort[] | 'every port';
}

/** One row: who calls whom, and why. */
export interface Flow {
  readonly from: readonly PartyName[];
  readonly to: readonly PartyName[];
  readonly ports: FlowPorts;
  readonly why: string;
  /** The meshes that have it; absent: all. */
  readonly when?: { readonly text: string; holds(mesh: GuardedMesh): boolean };
}

const gateways = ['ingressGateways', 'egressGateways', 'eastWestGateways'] as const;

const everyPort: FlowPorts = { text: 'every port', of: () => 'every port' };
const servicePorts: FlowPorts = {
  text: 'the target ports of its Service',
  of: (_mesh, { gateway }) =>
    (gateway?.service.ports ?? []).map(({ targetPort, protocol }) => ({
      port: targetPort,
      protocol: protocol as 'TCP',
    })),
};

const ownPorts: FlowPorts = { text: 'the ports of each', of: (_mesh, { ports = [] }) => ports };

/** An istiod that is for another cluster asks this one for nothing, and nobody here asks it. */
const ofOwnCluster: Flow['when'] = {
  text: '`multiCluster.configCluster` is not given',
  holds: (mesh) => configClusterOf(mesh) === undefined,
};

/** Every connection that a mesh needs. NetworkPolicies and the reference page are made of it. */
export const flows: readonly Flow[] = [
  {
    from: ['apiServer'],
    to: ['istiod'],
    ports: tcp(15017),
    why: 'Validation of Istio’s objects (the Service has it as 443)',
    when: ofOwnCluster,
  },
  {
    from: ['apiServer'],
    to: ['injector'],
    ports: tcp(15017),
    why: 'Injection of sidecars (the Service has it as 443)',
  },
  {
    from: ['workloads', ...gateways],
    to: ['istiod'],
    ports: tcp(15012),
    why: 'Configuration (xDS) and certificates of proxies, over TLS',
    when: ofOwnCluster,
  },
  {
    from: ['otherNetworks'],
    to: ['istiod'],
    ports: tcp(istiodPort),
    why: 'The same for proxies of the cluster that istiod has for its own',
    when: {
      text: '`multiCluster.configCluster` is given',
      holds: (mesh) => configClusterOf(mesh) !== undefined,
    },
  },
  {
    from: ['workloads', ...gateways],
    to: ['istiod'],
    ports: tcp(15010),
    why: 'Configuration of proxies in plaintext',
    when: {
      text: '`meshConfig.defaultConfig.discoveryAddress` has port 15010',
      holds: ({ meshConfig: { defaultConfig } }) =>
        isRecord(defaultConfig) && String(defaultConfig.discoveryAddress).endsWith(':15010'),
    },
  },
  {
    from: ['eastWestGateways'],
    to: ['istiod'],
    ports: tcp(15017),
    why: 'Webhooks of other clusters, where an east-west gateway passes them on to istiod',
  },
  {
    from: ['istiod'],
    to: ['apiServer'],
    ports: {
      text: '`apiServer.ports`/TCP',
      of: ({ networkPolicy }) => tcp(...networkPolicy.apiServer.ports).of(),
    },
    why: 'istiod watches the cluster',
    when: ofOwnCluster,
  },
  {
    from: ['istiod'],
    to: ['remoteApiServers'],
    ports: ownPorts,
    why: 'istiod watches the other clusters of the mesh, and has tokens of their workloads reviewed there',
    when: {
      text: '`multiCluster.remotes` is given',
      holds: (mesh) => remotesOf(mesh).length > 0,
    },
  },
  {
    from: ['istiod'],
    to: ['issuers'],
    ports: {
      text: '`jwks.ports`/TCP',
      of: ({ networkPolicy: { jwks } }) => tcp(...(jwks?.ports ?? [])).of(),
    },
    why: 'Keys of the JWT issuers of RequestAuthentications',
    when: { text: '`jwks` is given', holds: ({ networkPolicy: { jwks } }) => jwks !== undefined },
  },
  {
    from: ['istiod', 'workloads', ...gateways],
    to: ['dns'],
    ports: {
      text: '`dns.ports`/UDP, `dns.ports`/TCP',
      of: ({ networkPolicy: { dns } }) =>
        dns.ports.flatMap((port) => (['UDP', 'TCP'] as const).map((protocol) => ({ port, protocol }))),
    },
    why: 'Names; over TCP where an answer is too long for UDP',
  },
  {
    from: ['workloads', ...gateways],
    to: ['authority'],
    ports: {
      text: 'every port of its namespace; else that of its address',
      of: (mesh, { peers }) =>
        peers !== 'everywhere' && peers.every(({ namespaceSelector }) => namespaceSelector !== undefined)
          ? 'every port'
          : tcp(foreignAuthority(mesh)?.port ?? 0).of(),
    },
    why: 'Certificates of proxies',
    when: {
      text: 'another authority than istiod signs them',
      holds: (mesh) => foreignAuthority(mesh) !== undefined,
    },
  },
  {
    from: ['workloads', ...gateways],
    to: ['remoteIstiod'],
    ports: tcp(15012),
    why: 'Configuration and certificates of proxies',
    when: { text: 'profile `remote`', holds: ({ remote }) => remote !== undefined },
  },
  {
    from: ['clients'],
    to: ['ingressGateways'],
    ports: servicePorts,
    why: 'What the mesh serves, and the health port of load balancers',
  },
  {
    from: ['workloads', 'ingressGateways'],
    to: ['egressGateways'],
    ports: servicePorts,
    why: 'What leaves the mesh through them',
  },
  {
    from: ['otherNetworks'],
    to: ['eastWestGateways'],
    ports: servicePorts,
    why: 'Traffic of the mesh from other networks (15443), their proxies and webhooks (15012, 15017), and the health port of load balancers',
  },
  {
    from: ['ingressGateways', 'eastWestGateways'],
    to: ['workloads'],
    ports: everyPort,
    why: 'What a gateway takes is for them; which port, the application says',
  },
  {
    from: ['workloads'],
    to: ['workloads'],
    ports: everyPort,
    why: 'Workloads of a tenant among themselves',
  },
  {
    from: ['workloads'],
    to: ['outside'],
    ports: everyPort,
    why: 'A tenant whose proxies pass on what they do not know',
    when: { text: '`tenancy.isolation` is `Open`', holds: ({ tenancy }) => tenancy?.isolation === 'Open' },
  },
  {
    from: ['workloads'],
    to: ['allowedHosts'],
    ports: ownPorts,
    why: 'What a tenant allows its members',
    when: {
      text: '`tenancy.egress` is given',
      holds: ({ tenancy }) => (tenancy?.egress ?? []).length > 0,
    },
  },
  {
    from: ['egressGateways'],
    to: ['outside'],
    ports: everyPort,
    why: 'It is there for that; which hosts, Istio’s objects say',
  },
  {
    from: ['workloads', 'ingressGateways'],
    to: ['otherNetworks'],
    ports: tcp(crossNetworkPort),
    why: 'Endpoints of other networks are behind their east-west gateways',
    when: { text: '`values.global.network` is set', holds: ({ network }) => network !== '' },
  },
  {
    from: ['monitoring'],
    to: ['istiod'],
    ports: tcp(15014),
    why: 'Metrics of istiod',
  },
  {
    from: ['monitoring'],
    to: ['injector'],
    ports: tcp(8080),
    why: 'Metrics of the injector',
  },
  {
    from: ['monitoring'],
    to: ['workloads', ...gateways],
    ports: tcp(15020, 15090),
    why: 'Metrics of agent and Envoy together, and of Envoy alone',
  },
  { from: ['node'], to: ['istiod'], ports: tcp(8080), why: 'Probes' },
  { from: ['node'], to: ['injector'], ports: tcp(8081), why: 'Probes' },
  { from: ['node'], to: [...gateways], ports: tcp(15021), why: 'Probes' },
  { from: ['node'], to: ['workloads'], ports: everyPort, why: 'Probes' },
  { from: ['node'], to: ['operator'], ports: tcp(8081), why: 'Probes' },
  { from: ['apiServer'], to: ['operator'], ports: tcp(15017), why: 'Webhooks of MeshOperators' },
  { from: ['monitoring'], to: ['operator'], ports: tcp(8080), why: 'Metrics of the operator' },
  {
    from: ['operator'],
    to: ['apiServer'],
    ports: { text: '443, 6443/TCP', of: () => [] },
    why: 'All it does in this cluster, but for a Prometheus that `upgrade.errorRate` or `security.mtls.migration` names. What proxies and istiod trust it asks by `exec`, which API server and node carry, and whether the injector is reached by pods in dry runs, so it connects to neither',
  },
  {
    from: ['operator'],
    to: ['remoteApiServers'],
    ports: { text: '`networkPolicy.remotePorts` of its chart', of: () => [] },
    why: 'It asks the other clusters of meshes, and makes credentials of istiod there',
    when: { text: '`multiCluster.remotes` is given', holds: () => true },
  },
];

function tcp(...ports: readonly number[]): FlowPorts & { of(): readonly PolicyPort[] } {
  return { text: `${ports.join(', ')}/TCP`, of: () => ports.map((port) => ({ port, protocol: 'TCP' })) };
}
