import { selectsLabels } from './label-selector.ts';
import type { NetworkPolicy, PolicyNamespace, PolicyPeer, PolicyPod, PolicyPort } from './policy-objects.ts';

/** Everything a decision depends on. */
export interface PolicyWorld {
  readonly policies: readonly NetworkPolicy[];
  readonly pods: readonly PolicyPod[];
  readonly namespaces: readonly PolicyNamespace[];
}

export type Direction = 'ingress' | 'egress';

/** The other end of a connection: anyone, some pods, or a block of addresses. */
export type AllowedPeers =
  | { readonly kind: 'any' }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'block'; readonly cidr: string; readonly except: readonly string[] };

/** The destination ports of a connection; `last` equals `first` for one port. */
export type AllowedPorts =
  | { readonly kind: 'any' }
  | { readonly kind: 'protocol'; readonly protocol: string }
  | { readonly kind: 'range'; readonly protocol: string; readonly first: number; readonly last: number };

/** Connections that a policy lets through. */
export interface Allow {
  readonly peers: AllowedPeers;
  readonly ports: AllowedPorts;
}

/** What one pod that some policy selects may do in one direction: what is not allowed is dropped. */
export interface PodRules {
  readonly direction: Direction;
  /** `namespace/name` */
  readonly pod: string;
  readonly address: string;
  /** Without a word twice; empty: nothing is allowed. */
  readonly allows: readonly Allow[];
}

/** A pod that has an address of its own in the cluster's network. */
interface ReachablePod {
  readonly pod: PolicyPod;
  readonly address: string;
  readonly namespace: string;
}

/**
 * What NetworkPolicies (networking.k8s.io/v1) mean for each pod, as the Kubernetes API documents them: a pod that
 * no policy selects in a direction is free in it and has no entry; one that is selected may do what any of its
 * policies allows. Pods on the host's network, ended pods and IPv6 are left out. Sorted by pod and direction.
 */
export function decidePodRules(world: PolicyWorld): PodRules[] {
  const peers = new PeerFinder(world);
  const policies = world.policies.toSorted((a, b) => (nameOf(a.metadata) < nameOf(b.metadata) ? -1 : 1));
  const rules: PodRules[] = [];
  for (const target of peers.pods) {
    for (const direction of ['egress', 'ingress'] as const) {
      const selecting = policies.filter((policy) => affects(policy, direction) && selectsPod(policy, target));
      if (selecting.length === 0) continue;
      const allows = selecting.flatMap((policy) => allowsOf(policy, direction, target, peers));
      rules.push({
        direction,
        pod: nameOf(target.pod.metadata),
        address: target.address,
        allows: withoutRepeats(allows),
      });
    }
  }
  return rules;
}

/** Finds pods by the selectors of a peer. */
class PeerFinder {
  readonly pods: readonly ReachablePod[];
  readonly #namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>;

  constructor(world: PolicyWorld) {
    // While a pod ends, its address may already belong to another one: the younger has it.
    const oldestFirst = world.pods.flatMap(reachable).sort((a, b) => (bornAt(a) < bornAt(b) ? -1 : 1));
    this.pods = [...new Map(oldestFirst.map((pod) => [pod.address, pod])).values()].sort((a, b) =>
      nameOf(a.pod.metadata) < nameOf(b.pod.metadata) ? -1 : 1,
    );
    this.#namespaceLabels = new Map(
      world.namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
    );
  }

  /** Pods that the selectors of a peer mean, seen from a policy of `policyNamespace`. */
  find(peer: PolicyPeer, policyNamespace: string): ReachablePod[] {
    const { namespaceSelector, podSelector = {} } = peer;
    return this.pods.filter(({ pod, namespace }) => {
      const isInNamespace =
        namespaceSelector === undefined
          ? namespace === policyNamespace
          : selectsLabels(namespaceSelector, this.#namespaceLabels.get(namespace));
      return isInNamespace && selectsLabels(podSelector, pod.metadata.labels);
    });
  }
}

function bornAt({ pod }: ReachablePod): string {
  return pod.metadata.creationTimestamp ?? '';
}

function reachable(pod: PolicyPod): ReachablePod[] {
  const { podIP, phase } = pod.status ?? {};
  const { namespace } = pod.metadata;
  const hasEnded = phase === 'Succeeded' || phase === 'Failed';
  if (podIP === undefined || podIP.includes(':') || namespace === undefined) return [];
  if (pod.spec.hostNetwork === true || hasEnded) return [];
  return [{ pod, address: podIP, namespace }];
}

/** The API server's default for `policyTypes`: always Ingress, and Egress when there is a rule for it. */
function affects({ spec }: NetworkPolicy, direction: Direction): boolean {
  const types = spec.policyTypes ?? ['Ingress', ...((spec.egress ?? []).length > 0 ? ['Egress'] : [])];
  return types.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
}

function selectsPod({ metadata, spec }: NetworkPolicy, { pod, namespace }: ReachablePod): boolean {
  return metadata.namespace === namespace && selectsLabels(spec.podSelector ?? {}, pod.metadata.labels);
}

/** A rule without peers means every peer, one without ports means every port; no rule means nothing. */
function allowsOf(
  policy: NetworkPolicy,
  direction: Direction,
  target: ReachablePod,
  finder: PeerFinder,
): Allow[] {
  const { spec, metadata } = policy;
  const rules =
    direction === 'ingress'
      ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
      : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  return rules.flatMap(({ peers = [], ports = [] }) => {
    const wantedPeers: (PolicyPeer | 'any')[] = peers.length === 0 ? ['any'] : [...peers];
    const wantedPorts: (PolicyPort | 'any')[] = ports.length === 0 ? ['any'] : [...ports];
    return wantedPeers.flatMap((peer) =>
      wantedPorts.flatMap((port) =>
        direction === 'ingress'
          ? ingressAllows(peersOf(peer, metadata.namespace ?? '', finder), port, target)
          : egressAllows(peer, port, metadata.namespace ?? '', finder),
      ),
    );
  });
}

/** The named port is the selected pod's own. */
function ingressAllows(peers: AllowedPeers, port: PolicyPort | 'any', target: ReachablePod): Allow[] {
  const ports = isNamed(port) ? namedPorts(target, port) : [portsOf(port)];
  return ports.map((allowed) => ({ peers, ports: allowed }));
}

/** A named port is that of each destination pod, so it may be another number for each of them. */
function egressAllows(
  peer: PolicyPeer | 'any',
  port: PolicyPort | 'any',
  policyNamespace: string,
  finder: PeerFinder,
): Allow[] {
  if (!isNamed(port)) return [{ peers: peersOf(peer, policyNamespace, finder), ports: portsOf(port) }];
  if (peer !== 'any' && peer.ipBlock !== undefined) return []; // addresses have no named ports
  const destinations = peer === 'any' ? finder.pods : finder.find(peer, policyNamespace);
  return destinations.flatMap((destination) =>
    namedPorts(destination, port).map((ports) => ({
      peers: { kind: 'addresses' as const, addresses: [destination.address] },
      ports,
    })),
  );
}

function peersOf(peer: PolicyPeer | 'any', policyNamespace: string, finder: PeerFinder): AllowedPeers {
  if (peer === 'any') return { kind: 'any' };
  const { ipBlock } = peer;
  if (ipBlock !== undefined) return { kind: 'block', cidr: ipBlock.cidr, except: ipBlock.except ?? [] };
  const addresses = finder.find(peer, policyNamespace).map(({ address }) => address);
  return { kind: 'addresses', addresses: [...new Set(addresses)].sort() };
}

function portsOf(port: PolicyPort | 'any'): AllowedPorts {
  if (port === 'any') return { kind: 'any' };
  const protocol = protocolOf(port);
  if (typeof port.port !== 'number') return { kind: 'protocol', protocol };
  return { kind: 'range', protocol, first: port.port, last: port.endPort ?? port.port };
}

function namedPorts({ pod }: ReachablePod, { port, ...rest }: PolicyPort): AllowedPorts[] {
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...sidecars, ...(pod.spec.containers ?? [])]
    .flatMap((container) => container.ports ?? [])
    .filter((candidate) => candidate.name === port && protocolOf(candidate) === protocolOf(rest))
    .map(({ containerPort }) => ({
      kind: 'range' as const,
      protocol: protocolOf(rest),
      first: containerPort,
      last: containerPort,
    }));
}

function isNamed(port: PolicyPort | 'any'): port is PolicyPort {
  return port !== 'any' && typeof port.port === 'string';
}

function protocolOf({ protocol = 'TCP' }: { readonly protocol?: string }): string {
  return protocol.toLowerCase();
}

function withoutRepeats(allows: readonly Allow[]): Allow[] {
  return [...new Map(allows.map((allow) => [JSON.stringify(allow), allow])).values()];
}

function nameOf({ namespace, name }: { readonly namespace?: string; readonly name: string }): string {
  return `${namespace ?? ''}/${name}`;
}
