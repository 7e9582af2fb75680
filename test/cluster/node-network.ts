import { existsSync } from 'node:fs';
import type { ClusterPlan } from './cluster-plan.ts';
import { enterNamespaces } from './namespaces.ts';
import type { HolderIdentity } from './run-folder.ts';
import { run } from './toolchain/run-command.ts';

/** The host's end of the cable to a cluster. */
export function hostInterface(index: number): string {
  return `mesh-op${index}`;
}

/** True while the host has the interface of that cluster number. */
export function hasHostInterface(index: number): boolean {
  return existsSync(`/sys/class/net/${hostInterface(index)}`);
}

/**
 * Lays a cable between the host and the cluster's namespace, and the host's routes to its pods, Services
 * and load-balancer addresses. Inside there is no default route: nothing can leave for anywhere else.
 */
export async function connectToHost(plan: ClusterPlan, holder: HolderIdentity): Promise<void> {
  const outside = hostInterface(plan.index);
  await ipBatch(
    [],
    [
      `link add ${outside} type veth peer name eth0 netns ${holder.init.pid}`,
      `address add ${plan.hostAddress}/24 dev ${outside}`,
      `link set ${outside} up`,
    ],
  );
  await ipBatch(enterNamespaces(holder), [
    `address add ${plan.nodeAddress}/24 dev eth0`,
    'link set eth0 up',
    // Without it a process of the node that calls a Service fails before kube-proxy's rules are asked.
    `route add ${plan.serviceCidr} dev eth0 src ${plan.nodeAddress}`,
  ]);
  await ipBatch(
    [],
    [plan.podCidr, plan.serviceCidr, plan.loadBalancerCidr].map(
      (cidr) => `route add ${cidr} via ${plan.nodeAddress} dev ${outside}`,
    ),
  );
}

/** Takes the cable away; its routes go with it. Nothing happens when it is gone already. */
export async function disconnectFromHost(index: number): Promise<void> {
  if (hasHostInterface(index)) await run('ip', ['link', 'delete', hostInterface(index)]);
}

/** Runs some `ip` commands in one process, each without the leading `ip`. */
export async function ipBatch(prefix: readonly string[], commands: readonly string[]): Promise<void> {
  const [file = 'ip', ...args] = [...prefix, 'ip', '-batch', '-'];
  await run(file, args, { input: `${commands.join('\n')}\n` });
}
