import { containsBlock, parseAddressBlock } from '../../src/base/address-block.ts';
import type { EvaluatedPod } from '../../src/render/network-policy/evaluate-network-policies.ts';
import { flows } from '../../src/render/network-policy/flows.ts';
import {
  type End,
  type GuardedMesh,
  type PartyName,
  parties,
} from '../../src/render/network-policy/parties.ts';

/** Somebody who sends or gets packets, and all that this one is in the table of a mesh. */
export interface Place {
  readonly name: string;
  readonly address: string;
  readonly is: readonly PartyName[];
  /** Absent: no pod. */
  readonly pod?: EvaluatedPod;
  /** Of a gateway. */
  readonly gateway?: string;
}

/** What every place is to any mesh; whether it is one of the allowed hosts, or another API server, its address says. */
export const everywhere: readonly PartyName[] = [
  ...(['clients', 'outside', 'otherNetworks'] as const),
  ...(['allowedHosts', 'remoteApiServers'] as const),
];

/**
 * Whether a mesh needs this packet by its table of flows. Both ends must let it through that are its own: the table says of each
 * what it may send, or get. True for a packet that the mesh has no part in.
 */
export function isNeeded(
  mesh: GuardedMesh,
  from: Place,
  to: Place,
  { port, protocol }: { readonly port: number; readonly protocol: string },
): boolean {
  const [sender, receiver] = [ourParty(mesh, from), ourParty(mesh, to)];
  const isInTable = (senders: readonly PartyName[], receivers: readonly PartyName[]) =>
    flows.some((flow) => {
      const receiving = receivers.filter((name) => flow.to.includes(name));
      const isBetween = senders.some((name) => flow.from.includes(name)) && receiving.length > 0;
      if (!isBetween || flow.when?.holds(mesh) === false) return false;
      const ends: End[] = receiving.flatMap((name) => [...parties[name].ends(mesh)]);
      return ends
        .filter(({ gateway }) => gateway === undefined || gateway.name === to.gateway)
        .filter(({ ports, peers }) => ports === undefined || hasAddress(peers, to.address))
        .map((end) => flow.ports.of(mesh, end))
        .some(
          (open) =>
            open === 'every port' ||
            open.some((candidate) => candidate.port === port && candidate.protocol === protocol),
        );
    });
  return (
    (sender === undefined || isInTable([sender], to.is)) &&
    (receiver === undefined || from.is.includes('node') || isInTable(from.is, [receiver]))
  );
}

/** Whether ranges have an address; those of hosts that have ports of their own. */
function hasAddress(peers: End['peers'], address: string): boolean {
  if (peers === 'everywhere') return true;
  const only = parseAddressBlock(`${address}/32`);
  return peers.some(({ ipBlock }) => {
    const block = parseAddressBlock(ipBlock?.cidr ?? '');
    return block !== undefined && only !== undefined && containsBlock(block, only);
  });
}

/** What a place is that has a policy of ours. */
function ourParty(mesh: GuardedMesh, { is, pod }: Place): PartyName | undefined {
  if (pod === undefined) return undefined;
  return is.find((name) => {
    const ends: readonly End[] = parties[name].ends(mesh);
    return ends.some(({ pods = [] }) => pods.length > 0);
  });
}
