import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ipBatch } from '../cluster/node-network.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import type { AgentReport, AgentRequest, Probe } from './packet-agent.ts';

/** Where a packet may come from and go to: addresses of one network namespace. */
export interface PacketHost {
  readonly addresses: readonly [string, ...string[]];
}

/** Hosts around a node that forwards between them, as pods of a node are: in namespaces of this machine. */
export interface PacketNetwork {
  /** Replaces the rules of the node by an input of `nft -f -`. */
  load(table: string): Promise<void>;
  /** Sends all of them, and says which have arrived. */
  send(probes: readonly Probe[]): Promise<ReadonlySet<number>>;
  stop(): Promise<void>;
}

/** Address of the node, by which pods see it. */
export const nodeAddress = '10.77.255.1';

/** On every host's way to the node; nobody else has it. */
const gatewayAddress = '169.254.1.1';

/** Keeps connections known that began before any policy. */
const trackingTable = `table ip tracking {
	chain forward {
		type filter hook forward priority -200; policy accept;
		ct state established accept
	}
	chain input {
		type filter hook input priority -200; policy accept;
		ct state established accept
	}
}
`;

/** Starts the namespaces; needs root, and ends with this process. `ports` are open on every host and the node, over TCP and UDP. */
export async function packetNetwork(
  hosts: readonly PacketHost[],
  ports: readonly number[],
): Promise<PacketNetwork> {
  const node = new Agent();
  const agents = hosts.map(() => new Agent());
  const all = [node, ...agents];
  const addresses = [nodeAddress, ...hosts.map((host) => host.addresses[0])];
  const stop = async () => {
    await Promise.all(all.map((agent) => agent.stop()));
  };
  try {
    // An agent that answers has its namespace.
    await Promise.all(all.map((agent) => agent.ask({ listen: ports })));
    await layCables(node, hosts, agents);
    await inside(node, 'nft', ['-f', '-'], trackingTable);
    for (const agent of all) {
      for (const [index, other] of all.entries()) {
        if (other !== agent) await agent.ask({ link: addresses[index] ?? '' });
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const agentOf = new Map<string, Agent>([
    [nodeAddress, node],
    ...hosts.flatMap((host, index) =>
      host.addresses.map((address): [string, Agent] => [address, agents[index] as Agent]),
    ),
  ]);
  return {
    load: (table) => inside(node, 'nft', ['-f', '-'], table),
    send: async (probes) => {
      for (const agent of all) agent.arrived.clear();
      for (const agent of all) {
        const own = probes.filter(({ from }) => agentOf.get(from) === agent);
        if (own.length > 0) await agent.ask({ send: own });
      }
      // What an agent has reported before it answers is known by then.
      await Promise.all(all.map((agent) => agent.ask({ send: [] })));
      return new Set(all.flatMap((agent) => [...agent.arrived]));
    },
    stop,
  };
}

async function layCables(node: Agent, hosts: readonly PacketHost[], agents: readonly Agent[]): Promise<void> {
  await inside(node, 'sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
  await ipBatch(enter(node), [
    'link set lo up',
    `address add ${nodeAddress}/32 dev lo`,
    ...hosts.flatMap(({ addresses }, index) => [
      `link add cable${index} type veth peer name eth0 netns ${agents[index]?.pid}`,
      `address add ${gatewayAddress}/32 dev cable${index}`,
      `link set cable${index} up`,
      ...addresses.map(
        (address) => `route add ${address} via ${addresses[0]} dev cable${index} onlink src ${nodeAddress}`,
      ),
    ]),
  ]);
  for (const [index, { addresses }] of hosts.entries()) {
    await ipBatch(enter(agents[index] as Agent), [
      'link set lo up',
      ...addresses.map((address) => `address add ${address}/32 dev eth0`),
      'link set eth0 up',
      `route add default via ${gatewayAddress} dev eth0 onlink`,
    ]);
  }
}

function enter({ pid }: Agent): string[] {
  return ['nsenter', '-t', String(pid), '-n', '--'];
}

async function inside(agent: Agent, program: string, args: readonly string[], input = ''): Promise<void> {
  const [nsenter = '', ...rest] = enter(agent);
  await run(nsenter, [...rest, program, ...args], {
    input,
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
}

/** One process of packet-agent.ts in a network namespace of its own; all on one processor, so packets keep their order. */
class Agent {
  readonly arrived = new Set<number>();
  readonly #process: ChildProcess;
  readonly #waiting: { resolve(): void; reject(error: Error): void }[] = [];

  constructor() {
    const args = ['--pdeathsig', 'KILL', 'taskset', '-c', '0', 'unshare', '--net', process.execPath];
    this.#process = spawn('setpriv', [...args, path.join(import.meta.dirname, 'packet-agent.ts')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const { stdout } = this.#process;
    if (stdout === null) throw new Error('the agent has no standard output');
    createInterface({ input: stdout }).on('line', (line) => this.#read(JSON.parse(line) as AgentReport));
    this.#process.once('close', () => {
      for (const { reject } of this.#waiting) reject(new Error('an agent has ended: see its standard error'));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Resolves with the answer. */
  ask(request: AgentRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'close');
    this.#process.stdin?.end();
    await ended;
  }

  #read(report: AgentReport): void {
    if ('arrived' in report) this.arrived.add(report.arrived);
    else this.#waiting.shift()?.resolve();
  }
}
