import type { ObjectMeta } from '../../api/kubernetes-object.ts';
import type { NetworkPolicySpec, PolicyPeer, PolicyPort } from '../../api/network-policy.ts';
import {
  type AddressBlock,
  containsBlock,
  parseAddress,
  parseAddressBlock,
} from '../../base/address-block.ts';
import { matchesSelector } from '../../injection/label-selector.ts';

/** What policies look at in a pod. */
export interface EvaluatedPod {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly hostNetwork?: boolean;
    readonly containers?: readonly EvaluatedContainer[];
    readonly initContainers?: readonly EvaluatedContainer[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly hostIP?: string;
    readonly hostIPs?: readonly { readonly ip: string }[];
  };
}

interface EvaluatedContainer {
  readonly restartPolicy?: string;
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly protocol?: string;
  }[];
}

/** All that a verdict depends on. */
export interface PolicyWorld {
  readonly policies: readonly { readonly metadata: ObjectMeta; readonly spec: NetworkPolicySpec }[];
  readonly namespaces: readonly { readonly metadata: ObjectMeta }[];
  readonly pods: readonly EvaluatedPod[];
}

/** The first packet of a connection, as it arrives: the address of a Service is that of a pod by then. */
export interface Packet {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

/** Why one side lets a packet through, or that it does not. */
export type SideVerdict =
  /** No pod with an address of its own, so no policy is about it. */
  | { readonly outcome: 'allowed'; readonly because: 'not-a-pod' }
  | { readonly outcome: 'allowed'; readonly because: 'to-itself' }
  /** Probes must arrive, so Kubernetes lets a node reach its own pods. */
  | { readonly outcome: 'allowed'; readonly because: 'from-own-node' }
  /** No policy selects the pod in this direction. */
  | { readonly outcome: 'allowed'; readonly because: 'not-selected' }
  /** `policy` is `NAMESPACE/NAME`, `rule` a path such as `spec.ingress[0]`. */
  | {
      readonly outcome: 'allowed';
      readonly because: 'rule';
      readonly policy: string;
      readonly rule: string;
    }
  /** These select the pod, and no rule of theirs fits. */
  | { readonly outcome: 'denied'; readonly policies: readonly string[] };

export interface PacketVerdict {
  readonly isAllowed: boolean;
  readonly egress: SideVerdict;
  readonly ingress: SideVerdict;
}

type Direction = 'ingress' | 'egress';
type AddressRange = NonNullable<PolicyPeer['ipBlock']>;

/** One end of the packet: an address, and the pod that has it. */
interface PacketEnd {
  readonly address: string;
  /** Absent for a text that is no address. */
  readonly block?: AddressBlock;
  readonly pod?: EvaluatedPod;
}

/**
 * What NetworkPolicies (networking.k8s.io/v1) do to one packet, as the Kubernetes API documents them: it must leave its
 * sender and enter its receiver; a pod that no policy selects in a direction is free in it, and one that is selected may do
 * what a rule of any of its policies says. The first rule that fits is named, policies in the order of their names.
 * Ended pods, and those on a node's own network, are none.
 */
export class NetworkPolicyEvaluator {
  /** By their namespace, in the order of their names. */
  readonly #policies: ReadonlyMap<string, PolicyWorld['policies']>;
  readonly #namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly #podByAddress: ReadonlyMap<string, EvaluatedPod>;
  /** What has been asked about, since few texts are asked about often. */
  readonly #ends = new Map<string, PacketEnd>();
  readonly #blocks = new Map<string, AddressBlock | undefined>();

  constructor(world: PolicyWorld) {
    const sorted = world.policies.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    this.#policies = Map.groupBy(sorted, ({ metadata }) => metadata.namespace ?? '');
    this.#namespaceLabels = new Map(
      world.namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
    );
    // While a pod ends, its address may already belong to another one: the younger has it.
    const oldestFirst = world.pods.filter(hasOwnAddress).sort((a, b) => (bornAt(a) < bornAt(b) ? -1 : 1));
    this.#podByAddress = new Map(
      oldestFirst.flatMap((pod) => addressesOf(pod).map((address) => [canonical(address), pod])),
    );
  }

  judge(packet: Packet): PacketVerdict {
    const [from, to] = [this.#endOf(packet.from), this.#endOf(packet.to)];
    const egress = this.#judgeSide('egress', packet, { subject: from, peer: to, to });
    const ingress = this.#judgeSide('ingress', packet, { subject: to, peer: from, to });
    return { isAllowed: egress.outcome === 'allowed' && ingress.outcome === 'allowed', egress, ingress };
  }

  #endOf(address: string): PacketEnd {
    const known = this.#ends.get(address);
    if (known !== undefined) return known;
    const pod = this.#podByAddress.get(canonical(address));
    const block = parseAddress(address);
    const end = { address, ...(block === undefined ? {} : { block }), ...(pod === undefined ? {} : { pod }) };
    this.#ends.set(address, end);
    return end;
  }

  #isInBlock(address: AddressBlock | undefined, { cidr, except = [] }: AddressRange): boolean {
    const isWithin = (text: string) => {
      if (!this.#blocks.has(text)) this.#blocks.set(text, parseAddressBlock(text));
      const block = this.#blocks.get(text);
      return address !== undefined && block !== undefined && containsBlock(block, address);
    };
    return isWithin(cidr) && !except.some(isWithin);
  }

  #judgeSide(
    direction: Direction,
    packet: Packet,
    { subject, peer, to }: { readonly subject: PacketEnd; readonly peer: PacketEnd; readonly to: PacketEnd },
  ): SideVerdict {
    const { pod } = subject;
    if (pod === undefined) return { outcome: 'allowed', because: 'not-a-pod' };
    if (peer.pod === pod) return { outcome: 'allowed', because: 'to-itself' };
    if (direction === 'ingress' && isNodeOf(pod, peer.address)) {
      return { outcome: 'allowed', because: 'from-own-node' };
    }
    const selecting = (this.#policies.get(pod.metadata.namespace ?? '') ?? []).filter(
      ({ spec }) =>
        affects(spec, direction) && matchesSelector(spec.podSelector ?? {}, pod.metadata.labels ?? {}),
    );
    if (selecting.length === 0) return { outcome: 'allowed', because: 'not-selected' };
    for (const policy of selecting) {
      const means = (wanted: PolicyPeer | 'anybody', port: PolicyPort | 'every port') =>
        this.#meansPeer(wanted, peer, policy.metadata.namespace ?? '') &&
        meansPort(port, packet, isRange(wanted) && direction === 'egress' ? undefined : to.pod);
      const index = rulesOf(policy.spec, direction).findIndex(({ peers, ports }) =>
        peers.some((wanted) => ports.some((port) => means(wanted, port))),
      );
      if (index >= 0) {
        const rule = `spec.${direction}[${index}]`;
        return { outcome: 'allowed', because: 'rule', policy: nameOf(policy), rule };
      }
    }
    return { outcome: 'denied', policies: selecting.map(nameOf) };
  }

  #meansPeer(wanted: PolicyPeer | 'anybody', { block, pod }: PacketEnd, policyNamespace: string): boolean {
    if (wanted === 'anybody') return true;
    const { ipBlock, namespaceSelector, podSelector = {} } = wanted;
    if (ipBlock !== undefined) return this.#isInBlock(block, ipBlock);
    if (pod === undefined) return false;
    const namespace = pod.metadata.namespace ?? '';
    const labels = this.#namespaceLabels.get(namespace);
    const isInNamespace =
      namespaceSelector === undefined
        ? namespace === policyNamespace
        : labels !== undefined && matchesSelector(namespaceSelector, labels);
    return isInNamespace && matchesSelector(podSelector, pod.metadata.labels ?? {});
  }
}

/** Neither list is empty. */
interface Rule {
  readonly peers: readonly (PolicyPeer | 'anybody')[];
  readonly ports: readonly (PolicyPort | 'every port')[];
}

function rulesOf(spec: NetworkPolicySpec, direction: Direction): Rule[] {
  return direction === 'ingress'
    ? (spec.ingress ?? []).map(({ from, ports }) => aRule(from, ports))
    : (spec.egress ?? []).map(({ to, ports }) => aRule(to, ports));
}

function aRule(peers: readonly PolicyPeer[] = [], ports: readonly PolicyPort[] = []): Rule {
  return {
    peers: peers.length === 0 ? ['anybody'] : peers,
    ports: ports.length === 0 ? ['every port'] : ports,
  };
}

function isRange(peer: PolicyPeer | 'anybody'): boolean {
  return peer !== 'anybody' && peer.ipBlock !== undefined;
}

/** The API server's default for `policyTypes`: always Ingress, and Egress when there is a rule for it. */
function affects(spec: NetworkPolicySpec, direction: Direction): boolean {
  const types = spec.policyTypes ?? ['Ingress', ...((spec.egress ?? []).length > 0 ? ['Egress'] : [])];
  return types.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
}

/** A named port is that of the receiver, in either direction. Receivers that are meant by their address have none. */
function meansPort(
  wanted: PolicyPort | 'every port',
  packet: Packet,
  receiver: EvaluatedPod | undefined,
): boolean {
  if (wanted === 'every port') return true;
  const { protocol = 'TCP', port, endPort } = wanted;
  if (protocol !== packet.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === 'string') return numbersOf(port, protocol, receiver).includes(packet.port);
  return packet.port >= port && packet.port <= (endPort ?? port);
}

function numbersOf(name: string, wanted: string, pod: EvaluatedPod | undefined): number[] {
  const sidecars = (pod?.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...sidecars, ...(pod?.spec.containers ?? [])]
    .flatMap(({ ports = [] }) => ports)
    .filter((port) => port.name === name && (port.protocol ?? 'TCP') === wanted)
    .map(({ containerPort }) => containerPort);
}

function hasOwnAddress({ spec, status }: EvaluatedPod): boolean {
  return spec.hostNetwork !== true && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

function addressesOf({ status }: EvaluatedPod): string[] {
  const { podIP, podIPs = [] } = status ?? {};
  return [...(podIP === undefined ? [] : [podIP]), ...podIPs.map(({ ip }) => ip)];
}

function isNodeOf({ status }: EvaluatedPod, address: string): boolean {
  const { hostIP, hostIPs = [] } = status ?? {};
  return [hostIP, ...hostIPs.map(({ ip }) => ip)].some(
    (ip) => ip !== undefined && canonical(ip) === canonical(address),
  );
}

/** An IPv6 address may be written in several ways. */
function canonical(address: string): string {
  const block = parseAddress(address);
  return block === undefined ? address : `${block.bits}/${block.value}`;
}

function bornAt({ metadata }: EvaluatedPod): string {
  return metadata.creationTimestamp ?? '';
}

function nameOf({ metadata }: { readonly metadata: ObjectMeta }): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
