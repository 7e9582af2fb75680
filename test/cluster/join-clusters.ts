import { enterNamespaces } from './namespaces.ts';
import { ipBatch } from './node-network.ts';
import type { ClusterState } from './run-folder.ts';
import type { Cluster } from './running-cluster.ts';
import { run } from './toolchain/run-command.ts';

/**
 * How two clusters see each other. `flat`: pods reach each other's pods by their own addresses.
 * `separate`: only the other's node (API server, NodePorts) and load-balancer addresses are reachable.
 */
export type JoinMode = 'flat' | 'separate';

interface Side {
  readonly cluster: Cluster;
  readonly state: ClusterState;
  /** The cable's end in this cluster. */
  readonly interface: string;
  readonly address: string;
}

/** Lays a cable between two clusters with real nodes, or changes the mode of the one there is; idempotent. */
export async function joinClusters(a: Cluster, b: Cluster, mode: JoinMode): Promise<void> {
  const [left, right] = sidesOf(a, b);
  if (!(await hasInterface(left))) {
    await ipBatch(
      [],
      [
        `link add name ${left.interface} netns ${holderOf(left).init.pid} type veth ` +
          `peer name ${right.interface} netns ${holderOf(right).init.pid}`,
      ],
    );
    for (const side of [left, right]) {
      await inside(side, [
        `address add ${side.address}/30 dev ${side.interface}`,
        `link set ${side.interface} up`,
      ]);
    }
  }
  await Promise.all([applyMode(left, right, mode), applyMode(right, left, mode)]);
}

/** Takes the cable and all its rules away; nothing happens when the clusters are not joined. */
export async function unjoinClusters(a: Cluster, b: Cluster): Promise<void> {
  const [left, right] = sidesOf(a, b);
  if (await hasInterface(left)) await inside(left, [`link delete ${left.interface}`]);
  await Promise.all([left, right].map((side) => loadRules(side, '')));
}

/** Drops every packet between two joined clusters, unanswered, until they are joined again. */
export async function cutClusters(a: Cluster, b: Cluster): Promise<void> {
  await Promise.all(
    sidesOf(a, b).map((side) =>
      loadRules(
        side,
        `chain arrive { type filter hook prerouting priority raw; iifname "${side.interface}" drop; }
        chain leave { type filter hook postrouting priority raw; oifname "${side.interface}" drop; }`,
      ),
    ),
  );
}

async function applyMode(side: Side, peer: Side, mode: JoinMode): Promise<void> {
  const { plan } = peer.state;
  const via = `via ${peer.address} dev ${side.interface}`;
  await inside(side, [
    `route replace ${plan.nodeAddress}/32 ${via}`,
    `route replace ${plan.loadBalancerCidr} ${via}`,
  ]);
  if (mode === 'flat') {
    await inside(side, [`route replace ${plan.podCidr} ${via}`]);
    await loadRules(side, '');
  } else {
    if ((await listRoutes(side)).includes(plan.podCidr))
      await inside(side, [`route delete ${plan.podCidr} ${via}`]);
    // The other cluster has no way back to pods of this one: they leave with this node's address.
    await loadRules(
      side,
      `chain leave { type nat hook postrouting priority srcnat; oifname "${side.interface}" masquerade; }`,
    );
  }
}

/** Replaces the side's own nftables table; without rules it is removed. */
async function loadRules(side: Side, rules: string): Promise<void> {
  const table = `ip ${side.interface}`;
  const lines = [`table ${table}`, `delete table ${table}`];
  if (rules !== '') lines.push(`table ${table} {`, rules, '}');
  const [file = 'nsenter', ...args] = [...enterNamespaces(holderOf(side)), 'nft', '-f', '-'];
  await run(file, args, { input: `${lines.join('\n')}\n` });
}

async function hasInterface(side: Side): Promise<boolean> {
  return (await side.cluster.execInNode(['ip', '-o', 'link'])).includes(` ${side.interface}@`);
}

async function listRoutes(side: Side): Promise<string> {
  return side.cluster.execInNode(['ip', 'route']);
}

async function inside(side: Side, commands: readonly string[]): Promise<void> {
  await ipBatch(enterNamespaces(holderOf(side)), commands);
}

function holderOf({ state }: Side) {
  if (state.holder === undefined) {
    throw new Error(
      `cluster ${state.name} has no real node: only clusters with nodes "kubelet" can be joined`,
    );
  }
  return state.holder;
}

/** Both sides, the lower number first; each pair of numbers has a /30 of its own in 10.201.0.0/16. */
function sidesOf(a: Cluster, b: Cluster): [Side, Side] {
  if (a.name === b.name) throw new Error(`cluster ${a.name} cannot be joined with itself`);
  const [low, high] = a.state.plan.index < b.state.plan.index ? [a, b] : [b, a];
  const side = (cluster: Cluster, peer: Cluster, host: number): Side => ({
    cluster,
    state: cluster.state,
    interface: `peer${peer.state.plan.index}`,
    address: `10.201.${low.state.plan.index}.${4 * high.state.plan.index + host}`,
  });
  return [side(low, high, 1), side(high, low, 2)];
}
