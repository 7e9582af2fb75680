import type { NetworkPolicySpec, PolicyPeer, PolicyPort } from '../api/network-policy.ts';
import type { LabelSelector } from '../api/resolved-injection.ts';
import { type AddressBlock, containsBlock, parseAddress, parseAddressBlock } from '../base/address-block.ts';
import type { EvaluatedPod, PolicyWorld } from '../render/network-policy/evaluate-network-policies.ts';

type Policies = PolicyWorld['policies'];

/** Ports, or addresses, that no rule tells apart. */
export interface Range<T extends number | bigint> {
  readonly first: T;
  readonly last: T;
}

/** Addresses that no rule tells apart, and one of them that no pod and no node has. */
export interface AddressClass extends Range<bigint> {
  readonly bits: 32 | 128;
  readonly address: string;
}

const lastPort = 65_535;

/** All ports, cut where a rule of these policies begins or ends, named ports as these pods have them. Never empty. */
export function portClasses(policies: Policies, pods: readonly EvaluatedPod[]): Range<number>[] {
  const numbers = policies
    .flatMap(({ spec }) => rulesOf(spec))
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ port, endPort }: PolicyPort) =>
      typeof port === 'number' ? [port, (endPort ?? port) + 1] : [],
    );
  const named = pods
    .flatMap(containerPorts)
    .flatMap(({ containerPort }) => [containerPort, containerPort + 1]);
  const starts = sorted([1, ...numbers, ...named].filter((port) => port >= 1 && port <= lastPort));
  return starts.map((first, index) => ({ first, last: (starts[index + 1] ?? lastPort + 1) - 1 }));
}

/**
 * All addresses, cut where a range of these policies begins or ends. Those of `pods` are left out; those of `nodes` stand
 * for a range alone where it has no other, each for itself.
 */
export function addressClasses(
  policies: Policies,
  { pods, nodes }: { readonly pods: readonly string[]; readonly nodes: readonly string[] },
): AddressClass[] {
  const blocks = blocksOf(policies);
  const [ofPods, ofNodes] = [parsed(pods), parsed(nodes)];
  const hasIpv6 = [...blocks, ...ofPods, ...ofNodes].some(({ bits }) => bits === 128);
  return ([32, ...(hasIpv6 ? ([128] as const) : [])] as const).flatMap((bits) => {
    const known = new Set(valuesOf([...ofPods, ...ofNodes], bits));
    const end = 1n << BigInt(bits);
    const cuts = blocks.filter((block) => block.bits === bits).map(rangeOfBlock);
    const starts = sorted([0n, ...cuts.flatMap(({ first, last }) => [first, last + 1n])]).filter(
      (start) => start < end,
    );
    return starts.flatMap((first, index): AddressClass[] => {
      const last = (starts[index + 1] ?? end) - 1n;
      let free = first;
      while (known.has(free)) free++;
      if (free <= last) return [{ bits, first, last, address: addressText(free, bits) }];
      return [...new Set(valuesOf(ofNodes, bits))]
        .filter((value) => first <= value && value <= last)
        .map((value) => ({ bits, first: value, last: value, address: addressText(value, bits) }));
    });
  });
}

/** Pods that no policy tells apart: none of `of(pod)`, which are all that may select it or name it as a peer. */
export function podClasses(
  pods: readonly EvaluatedPod[],
  of: (pod: EvaluatedPod) => Policies,
): EvaluatedPod[][] {
  const byNamespace = Map.groupBy(pods, ({ metadata }) => metadata.namespace);
  return [...byNamespace.values()].flatMap((together) => {
    const policies = together[0] === undefined ? [] : of(together[0]);
    const keys = sorted([...new Set(selectorsOf(policies).flatMap(keysOf))]);
    const blocks = blocksOf(policies);
    const classOf = (pod: EvaluatedPod) => {
      const address = parseAddress(pod.status?.podIP ?? '');
      return JSON.stringify([
        keys.map((key) => pod.metadata.labels?.[key] ?? null),
        containerPorts(pod).filter(({ name }) => name !== undefined),
        blocks.map((block) => address !== undefined && containsBlock(block, address)),
      ]);
    };
    return [...Map.groupBy(together, classOf).values()];
  });
}

/** The same policies for every port: what they do not let through, the real ones let through on none. */
export function withoutPorts(policies: Policies): Policies {
  return policies.map(({ metadata, spec }) => ({
    metadata,
    spec: {
      ...spec,
      ...(spec.ingress === undefined ? {} : { ingress: spec.ingress.map(({ ports: _, ...rule }) => rule) }),
      ...(spec.egress === undefined ? {} : { egress: spec.egress.map(({ ports: _, ...rule }) => rule) }),
    },
  }));
}

/** Selectors of peers, each once: what somebody who chooses the labels of a pod may choose them by. */
export function peerSelectors(policies: Policies): LabelSelector[] {
  return distinct(policies.flatMap(({ spec }) => peersOf(spec)).map(({ podSelector }) => podSelector));
}

/** Labels that a selector matches, where any do. */
export function labelsFor({
  matchLabels = {},
  matchExpressions = [],
}: LabelSelector): Record<string, string> {
  const labels = new Map(Object.entries(matchLabels));
  for (const { key, operator, values = [] } of matchExpressions) {
    if (operator === 'In' && !labels.has(key)) {
      const refused = matchExpressions.flatMap((other) =>
        other.key === key && other.operator === 'NotIn' ? (other.values ?? []) : [],
      );
      const value = values.find((each) => !refused.includes(each));
      if (value !== undefined) labels.set(key, value);
    }
    if (operator === 'Exists' && !labels.has(key)) labels.set(key, 'any');
  }
  return Object.fromEntries(labels);
}

/** `8080, 9000-9100`; `every port`. Runs that touch become one. */
export function portText(ports: readonly Range<number>[]): string {
  const runs = joined(ports, 1);
  if (runs.length === 1 && runs[0]?.first === 1 && runs[0].last === lastPort) return 'every port';
  return runs.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}

/** `address 192.0.2.1`, `addresses 192.0.2.0-192.0.2.255`, `every IPv4 address`; runs that touch become one. */
export function addressTexts(classes: readonly AddressClass[]): string[] {
  return ([32, 128] as const).flatMap((bits) =>
    joined(
      classes.filter((each) => each.bits === bits),
      1n,
    ).map(({ first, last }) => {
      if (first === 0n && last === (1n << BigInt(bits)) - 1n)
        return `every IPv${bits === 32 ? 4 : 6} address`;
      const text = addressText(first, bits);
      return first === last ? `address ${text}` : `addresses ${text}-${addressText(last, bits)}`;
    }),
  );
}

interface PolicyRule {
  readonly peers: readonly PolicyPeer[];
  readonly ports?: readonly PolicyPort[] | undefined;
}

function rulesOf({ ingress = [], egress = [] }: NetworkPolicySpec): PolicyRule[] {
  return [
    ...ingress.map(({ from = [], ports }) => ({ peers: from, ports })),
    ...egress.map(({ to = [], ports }) => ({ peers: to, ports })),
  ];
}

function peersOf(spec: NetworkPolicySpec): PolicyPeer[] {
  return rulesOf(spec).flatMap(({ peers }) => peers);
}

function selectorsOf(policies: Policies): LabelSelector[] {
  return [...policies.map(({ spec }) => spec.podSelector ?? {}), ...peerSelectors(policies)];
}

function keysOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string[] {
  return [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
}

function blocksOf(policies: Policies): AddressBlock[] {
  const texts = policies
    .flatMap(({ spec }) => peersOf(spec))
    .flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock.cidr, ...(ipBlock.except ?? [])]));
  return [...new Set(texts)].map(parseAddressBlock).filter((block) => block !== undefined);
}

function containerPorts({ spec: { containers = [], initContainers = [] } }: EvaluatedPod) {
  return [...initContainers, ...containers].flatMap(({ ports = [] }) => ports);
}

function parsed(addresses: readonly string[]): AddressBlock[] {
  return addresses.map(parseAddress).filter((address) => address !== undefined);
}

function valuesOf(addresses: readonly AddressBlock[], bits: 32 | 128): bigint[] {
  return addresses.filter((address) => address.bits === bits).map(({ value }) => value);
}

function rangeOfBlock({ bits, value, prefix }: AddressBlock): Range<bigint> {
  const size = 1n << BigInt(bits - prefix);
  const first = (value / size) * size;
  return { first, last: first + size - 1n };
}

function joined<T extends number | bigint>(ranges: readonly Range<T>[], step: T): Range<T>[] {
  const runs: { first: T; last: T }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const run = runs.at(-1);
    if (run !== undefined && first <= next(run.last, step)) {
      if (last > run.last) run.last = last;
    } else {
      runs.push({ first, last });
    }
  }
  return runs;
}

/** TypeScript adds no numbers of a type that may be either. */
function next<T extends number | bigint>(value: T, step: T): T {
  return ((value as number) + (step as number)) as T;
}

function sorted<T extends number | bigint | string>(values: readonly T[]): T[] {
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
}

function distinct(selectors: readonly (LabelSelector | undefined)[]): LabelSelector[] {
  const byText = new Map(
    selectors.flatMap((selector) =>
      selector === undefined ? [] : [[JSON.stringify(selector), selector] as const],
    ),
  );
  return [...byText.values()];
}

function addressText(value: bigint, bits: 32 | 128): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  const text = groups.map((group) => group.toString(16)).join(':');
  // The longest run of zeros, or one of them, is left out (RFC 5952 section 4.2).
  const longest = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)]
    .map(([run]) => run)
    .sort((a, b) => b.length - a.length)[0];
  return longest === undefined
    ? text
    : text
        .replace(longest, ':')
        .replace(/^:(?!:)/, '::')
        .replace(/(?<!:):$/, '::');
}
