import type { Allow, AllowedPeers, AllowedPorts, Direction, PodRules } from './pod-rules.ts';

/** The nftables table that holds our rules; nobody else writes it. */
export const policyTable = 'network-policy';

const peerAddress: Record<Direction, string> = { ingress: 'ip saddr', egress: 'ip daddr' };

/**
 * One `nft -f -` input that replaces the whole table in one transaction.
 *
 * Every packet between pods is routed, so `forward` sees it, after kube-proxy has put a pod's address in the place
 * of a service's; `input` sees what pods send to their own node. There is no `output` chain: the node reaches its
 * pods whatever the policies say, as kubelet's probes must. Connections that exist stay.
 */
export function renderNftTable(rules: readonly PodRules[]): string {
  const drop = `table ip ${policyTable}\ndelete table ip ${policyTable}\n`;
  if (rules.length === 0) return drop;
  const toAnywhere = jumps('ip saddr', 'egress', rules);
  const toPods = jumps('ip daddr', 'ingress', rules);
  const blocks = [
    baseChain('input', toAnywhere),
    baseChain('forward', [...toAnywhere, ...toPods]),
    ...rules.map((podRules) => podChain(podRules)),
  ];
  return `${drop}table ip ${policyTable} {\n${blocks.join('\n')}}\n`;
}

function baseChain(hook: string, verdicts: readonly string[]): string {
  return chain(hook, [
    `type filter hook ${hook} priority filter - 10; policy accept;`,
    'ct state established,related accept',
    ...verdicts,
  ]);
}

function jumps(match: string, direction: Direction, rules: readonly PodRules[]): string[] {
  const entries = rules
    .filter((podRules) => podRules.direction === direction)
    .map((podRules) => `${podRules.address} : jump ${chainName(podRules)}`);
  return entries.length === 0 ? [] : [`${match} vmap { ${entries.join(', ')} }`];
}

/** Allowed connections return, to be judged for their other direction; the rest is dropped. */
function podChain(podRules: PodRules): string {
  const peer = peerAddress[podRules.direction];
  return chain(chainName(podRules), [
    `# ${podRules.pod}`,
    `${peer} ${podRules.address} return`, // a pod always reaches itself
    ...podRules.allows.flatMap((allow) => allowRule(peer, allow)),
    'counter drop',
  ]);
}

function allowRule(peer: string, { peers, ports }: Allow): string[] {
  const from = matchPeers(peer, peers);
  return from === undefined ? [] : [[...from, ...matchPorts(ports), 'return'].join(' ')];
}

/** Undefined when the peers are nobody that IPv4 rules could match. */
function matchPeers(peer: string, peers: AllowedPeers): string[] | undefined {
  switch (peers.kind) {
    case 'any':
      return [];
    case 'addresses':
      return peers.addresses.length === 0 ? undefined : [`${peer} { ${peers.addresses.join(', ')} }`];
    case 'block': {
      if (peers.cidr.includes(':')) return undefined;
      const within = peers.cidr.endsWith('/0') ? [] : [`${peer} ${peers.cidr}`];
      return [...within, ...peers.except.map((cidr) => `${peer} != ${cidr}`)];
    }
  }
}

function matchPorts(ports: AllowedPorts): string[] {
  switch (ports.kind) {
    case 'any':
      return [];
    case 'protocol':
      return [`meta l4proto ${ports.protocol}`];
    case 'range':
      return [
        `${ports.protocol} dport ${ports.first === ports.last ? ports.first : `${ports.first}-${ports.last}`}`,
      ];
  }
}

function chain(name: string, lines: readonly string[]): string {
  return `\tchain ${name} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n`;
}

function chainName({ direction, address }: PodRules): string {
  return `${direction}_${address.replaceAll('.', '_')}`;
}
