import { join, resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { readSandboxes } from '../cluster/network-policy/sandbox-addresses.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import type { Probe } from './packet-agent.ts';

const prober = resolve(import.meta.dirname, 'packet-prober.ts');

/**
 * Sends each probe from where its address is: a pod of the real node, the node itself, or this machine; from a pod as its proxy
 * would, so that no sidecar takes it. Says which were answered, be it that nothing listens: what a policy drops is not.
 */
export async function sendFromPods(cluster: Cluster, probes: readonly Probe[]): Promise<ReadonlySet<number>> {
  const sandboxes = await readSandboxes(join(cluster.rundir, 'cni-data/results'));
  const networks = new Map([...sandboxes.values()].map((pod) => [pod.address, pod.networkNamespace]));
  // The kernel sends few refusals a second, of which none may be missing here.
  const refuseAll = ['sysctl', '-qw', 'net.ipv4.icmp_ratemask=0'];
  await cluster.execInNode(refuseAll);
  for (const network of networks.values()) await cluster.execInNode([...enter(network), ...refuseAll]);
  const sources = [...new Set(probes.map(({ from }) => from))];
  const answered = await Promise.all(
    sources.map(async (source) => {
      const input = JSON.stringify(probes.filter(({ from }) => from === source));
      const command = [process.execPath, prober];
      if (source === cluster.hostAddress) return run(process.execPath, [prober], { input });
      if (source === cluster.nodeAddress) return cluster.execInNode(command, { input });
      return cluster.execInNode([...enter(networks.get(source) ?? ''), ...command], { input });
    }),
  );
  return new Set(answered.flatMap((text) => JSON.parse(text) as number[]));
}

function enter(network: string): string[] {
  return ['nsenter', `--net=${network}`, '--'];
}
