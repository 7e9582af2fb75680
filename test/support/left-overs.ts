import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { controlGroupName, hasControlGroup } from '../cluster/control-group.ts';
import { hasHostInterface, hostInterface } from '../cluster/node-network.ts';
import { identify } from '../cluster/process-identity.ts';
import { run } from '../cluster/toolchain/run-command.ts';

/** Traces of one cluster on this machine, taken while it runs, to be looked for after it has ended. */
export interface ClusterTraces {
  readonly cluster: Cluster;
  /** Kernel names such as `net:[4026532321]` of the namespaces of its own; empty without a real node. */
  readonly namespaces: readonly string[];
}

/** Notes what can be told from a running cluster only. */
export function traceCluster(cluster: Cluster): ClusterTraces {
  const own = namespacesOf('self');
  const holder = cluster.state.holder?.init.pid;
  const namespaces = holder === undefined ? [] : namespacesOf(String(holder));
  return { cluster, namespaces: namespaces.filter((namespace) => !own.includes(namespace)) };
}

/** Everything of the cluster that this machine still has, one line each: processes, namespaces, mounts, network, groups, files. */
export async function findLeftOvers({ cluster, namespaces }: ClusterTraces): Promise<string[]> {
  const { plan } = cluster.state;
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const isReal = cluster.nodes === 'kubelet';
  const routes = isReal ? (await run('ip', ['route'])).split('\n') : [];
  const rules = isReal ? (await run('nft', ['list', 'ruleset'])).split('\n') : [];
  const addresses = [plan.podCidr, plan.serviceCidr, plan.loadBalancerCidr, plan.nodeAddress];
  const group = controlGroupName(cluster.name);
  return [
    ...pids
      .filter((pid) => readProc(`${pid}/cmdline`).includes(cluster.rundir))
      .map((pid) => `process ${pid}`),
    ...pids
      .filter((pid) => identify(Number(pid)) !== undefined) // the parent of a zombie decides when it goes
      .filter((pid) => namespacesOf(pid).some((namespace) => namespaces.includes(namespace)))
      .map((pid) => `process ${pid} in a namespace of the cluster`),
    ...readProc('self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(cluster.rundir))
      .map((line) => `mount ${line}`),
    ...(isReal && hasHostInterface(plan.index) ? [`interface ${hostInterface(plan.index)}`] : []),
    ...routes
      .filter((line) => addresses.some((address) => line.includes(address)))
      .map((line) => `route ${line}`),
    ...rules
      .filter((line) => addresses.some((address) => line.includes(address)))
      .map((line) => `rule ${line}`),
    ...((await hasControlGroup(group)) ? [`control group ${group}`] : []),
    ...(existsSync(cluster.rundir) ? [`folder ${cluster.rundir}`] : []),
  ];
}

function namespacesOf(pid: string): string[] {
  return ['net', 'mnt', 'pid'].flatMap((kind) => {
    try {
      return [readlinkSync(join('/proc', pid, 'ns', kind))];
    } catch {
      return []; // ended, or another user's
    }
  });
}

function readProc(file: string): string {
  try {
    return readFileSync(join('/proc', file), 'utf8');
  } catch {
    return ''; // ended between two looks
  }
}
