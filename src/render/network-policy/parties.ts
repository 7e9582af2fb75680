import { memberLabel, tenantLabel } from '../../api/labels.ts';
import type { PolicyPeer, PolicyPort } from '../../api/network-policy.ts';
import type { ResolvedGateway, ResolvedMesh } from '../../api/resolved-mesh.ts';
import { type ResolvedRemote, remotesOf } from '../../api/resolved-multi-cluster.ts';
import type { ResolvedNetworkPolicy } from '../../api/resolved-network-policy.ts';
import { parseAddress } from '../../base/address-block.ts';
import { istiodSelector } from '../control-plane/istiod.ts';
import { istiodName } from '../control-plane/names.ts';
import { injectorComponent, injectorSelector } from '../injector/injector.ts';
import { injectorName } from '../injector/names.ts';

/** Pods of a mesh that a policy of ours is for. */
export interface PodSet {
  /** Name of the policy: that of their Deployment, where they have one. */
  readonly name: string;
  readonly namespace: string;
  readonly component: string;
  /** Empty: every pod of the namespace. */
  readonly selector: Readonly<Record<string, string>>;
}

/** One place of a party, where connections begin or end. */
export interface End {
  /** Who it is for policies of others; `everywhere` where no selector and no range says it. */
  readonly peers: readonly PolicyPeer[] | 'everywhere';
  /** Absent for what is not ours. */
  readonly pods?: readonly PodSet[];
  readonly gateway?: ResolvedGateway;
  /** Of a host that has ports of its own. */
  readonly ports?: readonly PolicyPort[];
}

/** A mesh that has policies. */
export type GuardedMesh = ResolvedMesh & {
  readonly networkPolicy: ResolvedNetworkPolicy;
  /** Namespaces of the tenant whose mesh it is. */
  readonly memberNamespaces: readonly string[];
};

interface Party {
  /** For the reference page. */
  readonly meaning: string;
  /** Nothing, where a mesh has no such party, or where no policy can say anything of it. */
  ends(mesh: GuardedMesh): readonly End[];
}

/** All that begins or ends a connection of a mesh. */
export const parties = {
  istiod: {
    meaning: 'istiod',
    ends: (mesh) =>
      mesh.pilot.enabled
        ? [
            {
              // Of every revision: gateways go from one to the next.
              peers: [podsOf(mesh.namespace, { app: 'istiod' })],
              pods: [
                {
                  name: istiodName(mesh),
                  namespace: mesh.namespace,
                  component: 'istiod',
                  selector: istiodSelector(mesh),
                },
              ],
            },
          ]
        : [],
  },
  injector: {
    meaning: 'The injector',
    ends: (mesh) =>
      mesh.injector.enabled
        ? [
            {
              peers: [podsOf(mesh.namespace, injectorSelector(mesh))],
              pods: [
                {
                  name: injectorName(mesh),
                  namespace: mesh.namespace,
                  component: injectorComponent,
                  selector: injectorSelector(mesh),
                },
              ],
            },
          ]
        : [],
  },
  ingressGateways: {
    meaning: 'Ingress gateways',
    ends: (mesh) => gatewayEnds(mesh, 'ingressGateways'),
  },
  egressGateways: {
    meaning: 'Egress gateways',
    ends: (mesh) => gatewayEnds(mesh, 'egressGateways'),
  },
  eastWestGateways: {
    meaning: 'East-west gateways',
    ends: (mesh) => gatewayEnds(mesh, 'eastWestGateways'),
  },
  workloads: {
    meaning:
      'Workloads, and `meshCIDRs`. Those of a tenant are the pods of its members, for which there are policies; without `spec.tenancy` they are every pod of the cluster, for which there are none',
    ends: ({ networkPolicy, tenancy, memberNamespaces }) => {
      const ofNetwork = blocksOf(networkPolicy.meshCidrs);
      if (tenancy === undefined) return [{ peers: [{ namespaceSelector: {} }, ...ofNetwork] }];
      const { tenant } = tenancy;
      const labels = { [tenantLabel]: tenant, [memberLabel]: tenant };
      const pods = memberNamespaces.map((namespace) => ({
        ...{ name: `tenant-${tenant}`, namespace },
        ...{ component: 'tenancy', selector: {} },
      }));
      return [{ peers: [{ namespaceSelector: { matchLabels: labels } }, ...ofNetwork], pods }];
    },
  },
  apiServer: {
    meaning: 'The API server: `apiServer.cidrs`',
    ends: ({ networkPolicy }) => [{ peers: blocksOrEverywhere(networkPolicy.apiServer.cidrs) }],
  },
  dns: {
    meaning: 'DNS: pods by `dns.namespace` and `dns.podLabels`, and `dns.cidrs`',
    ends: ({ networkPolicy: { dns } }) => [
      { peers: [podsOf(dns.namespace, dns.podLabels), ...blocksOf(dns.cidrs)] },
    ],
  },
  monitoring: {
    meaning: 'Pods of `monitoring.namespaces`',
    ends: ({ networkPolicy: { monitoring } }) =>
      monitoring.length === 0 ? [] : [{ peers: [namespacesOf(monitoring)] }],
  },
  issuers: {
    meaning: 'JWT issuers: `jwks.cidrs`',
    ends: ({ networkPolicy: { jwks } }) =>
      jwks === undefined ? [] : [{ peers: blocksOrEverywhere(jwks.cidrs) }],
  },
  authority: {
    meaning: 'An authority that is not istiod: the namespace of its Service, or wherever its address is',
    ends: (mesh) => {
      const authority = foreignAuthority(mesh);
      return authority === undefined ? [] : [{ peers: peersOfHost(authority.host) }];
    },
  },
  remoteIstiod: {
    meaning: 'istiod of another cluster',
    ends: ({ remote }) => {
      if (remote === undefined) return [];
      // Wherever it is, while nobody has said where.
      const hosts = remote.addresses.length === 0 ? [''] : remote.addresses;
      return hosts.map((host) => ({ peers: peersOfHost(host) }));
    },
  },
  remoteApiServers: {
    meaning:
      'API servers of other clusters, or the proxies on the way there (`multiCluster.remotes`). Of one whose address only its kubeconfig says, nothing is known here but `apiServer.ports`',
    ends: (mesh) =>
      remotesOf(mesh).map((remote) => {
        const address = firstHop(remote);
        const known = address === undefined ? mesh.networkPolicy.apiServer.ports : [address.port];
        return {
          peers: address === undefined ? 'everywhere' : peersOfHost(address.host),
          ports: known.map((port) => ({ port, protocol: 'TCP' })),
        };
      }),
  },
  otherNetworks: {
    meaning: 'Proxies and gateways of other networks of the mesh',
    ends: () => [{ peers: 'everywhere' }],
  },
  clients: {
    meaning: 'Clients, and load balancers that ask for health',
    ends: () => [{ peers: 'everywhere' }],
  },
  allowedHosts: {
    meaning: 'Hosts outside that members of a tenant may call: `tenancy.egress`, where its `cidrs` are',
    ends: ({ tenancy }) =>
      (tenancy?.egress ?? []).map(({ cidrs, ports }) => ({
        peers: blocksOrEverywhere(cidrs),
        ports: ports.map(({ port }) => ({ port, protocol: 'TCP' })),
      })),
  },
  outside: { meaning: 'Hosts outside of the mesh', ends: () => [{ peers: 'everywhere' }] },
  node: {
    meaning: 'The pod’s own node, which reaches it whatever a policy says (Kubernetes)',
    ends: () => [],
  },
  operator: {
    meaning: 'The operator, whose policy is that of its chart (`networkPolicy.enabled`)',
    ends: () => [],
  },
} satisfies Record<string, Party>;

export type PartyName = keyof typeof parties;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where istiod's connections to another API server go; undefined where only a kubeconfig says it. */
function firstHop({ access, server, proxyUrl }: ResolvedRemote): Address | undefined {
  const text = proxyUrl ?? server ?? (access.by === 'token' ? access.server : undefined);
  if (text === undefined) return undefined;
  const { hostname, port, protocol } = new URL(text);
  return { host: hostname, port: port === '' ? (defaultPorts[protocol] ?? 443) : Number(port) };
}

/** Of a URL without a port; that of SOCKS is IANA's. */
const defaultPorts: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80, 'socks5:': 1080 };

/** Where proxies get their certificates, when that is not istiod. */
export function foreignAuthority(mesh: ResolvedMesh): Address | undefined {
  const address = hostAndPort(mesh.injection.caAddress);
  const isIstiod = address.host.startsWith('istiod') && serviceNamespace(address.host) === mesh.namespace;
  return isIstiod ? undefined : address;
}

/** Namespace of a Service by its DNS name, `SERVICE.NAMESPACE.svc[.DOMAIN]`. */
function serviceNamespace(host: string): string | undefined {
  return /^[^.]+\.([^.]+)\.svc(\.|$)/.exec(host)?.[1];
}

function gatewayEnds({ gateways }: ResolvedMesh, kind: ResolvedGateway['kind']): End[] {
  return gateways
    .filter((gateway) => gateway.kind === kind)
    .map((gateway) => ({
      peers: [podsOf(gateway.namespace, gateway.selector)],
      pods: [
        {
          name: gateway.name,
          namespace: gateway.namespace,
          component: gateway.name,
          selector: gateway.selector,
        },
      ],
      gateway,
    }));
}

function hostAndPort(address: string): Address {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** Pods of a Service listen where only that Service knows, so its namespace is what can be said of them. */
function peersOfHost(host: string): End['peers'] {
  const namespace = serviceNamespace(host);
  if (namespace !== undefined) return [namespacesOf([namespace])];
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const address = parseAddress(bare);
  return address === undefined ? 'everywhere' : blocksOf([`${bare}/${address.bits}`]);
}

/** The label that the API server gives every namespace, and lets nobody change. */
function namespacesOf(names: readonly string[]): PolicyPeer {
  const key = 'kubernetes.io/metadata.name';
  return {
    namespaceSelector:
      names.length === 1
        ? { matchLabels: { [key]: names[0] ?? '' } }
        : { matchExpressions: [{ key, operator: 'In', values: names }] },
  };
}

function podsOf(namespace: string, labels: Readonly<Record<string, string>>): PolicyPeer {
  return { ...namespacesOf([namespace]), podSelector: { matchLabels: labels } };
}

function blocksOf(cidrs: readonly string[]): PolicyPeer[] {
  return cidrs.map((cidr) => ({ ipBlock: { cidr } }));
}

function blocksOrEverywhere(cidrs: readonly string[]): End['peers'] {
  return cidrs.length === 0 ? 'everywhere' : blocksOf(cidrs);
}
