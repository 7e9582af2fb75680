/**
 * Makes NetworkPolicies of a local cluster hold on real packets, until SIGTERM:
 *
 *   node test/cluster/network-policy/main.ts --kubeconfig <file>
 *
 * Run it as root inside the network namespace of the cluster's node; its rules end with that namespace.
 */
import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { KindInfo } from '../../../src/api/kinds.ts';
import { kindInfo } from '../../../src/api/kinds.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { openConnection } from '../../../src/kube/api-connection.ts';
import { type DaemonPass, requiredFlag, runClusterDaemon } from '../cluster-daemon.ts';
import { run } from '../toolchain/run-command.ts';
import { renderNftTable } from './nft-table.ts';
import { decidePodRules } from './pod-rules.ts';
import type { NetworkPolicy, PolicyNamespace, PolicyPod } from './policy-objects.ts';
import { cniResultFolder, readSandboxAddresses, withSandboxAddresses } from './sandbox-addresses.ts';

const networkPolicyKind: KindInfo = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  namespaced: true,
};

const kubeconfig = requiredFlag(process.argv, 'kubeconfig');
const { baseUrl } = openConnection({ kubeconfig }, systemClock);
if (!isAddressOfThisNode(new URL(baseUrl).hostname)) {
  process.stderr.write(
    `The API server ${baseUrl} is not on this node: run the enforcer in the network namespace of the cluster's node\n`,
  );
  process.exit(2);
}

await mkdir(cniResultFolder, { recursive: true });
let applied = '';
await runClusterDaemon({
  kubeconfig,
  kinds: [networkPolicyKind, kindInfo('v1', 'Pod'), kindInfo('v1', 'Namespace')],
  pass: enforce,
  // A pod's rules must be there before its containers start, and its status is later than that.
  wakeOn: (wake, signal) => void watch(cniResultFolder, { signal }, wake),
});

async function enforce({ informers, log }: DaemonPass): Promise<void> {
  const [policies, pods, namespaces] = informers.map((informer) => [...informer.values()]);
  const addresses = await readSandboxAddresses(cniResultFolder);
  const rules = decidePodRules({
    policies: (policies ?? []) as unknown as NetworkPolicy[],
    pods: withSandboxAddresses((pods ?? []) as unknown as PolicyPod[], addresses),
    namespaces: (namespaces ?? []) as PolicyNamespace[],
  });
  const table = renderNftTable(rules);
  if (table === applied) return;
  await run('nft', ['-f', '-'], { input: table, env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
  applied = table;
  log.info('Enforcing', { policies: policies?.length, chains: rules.length });
}

/** Guards the machine's own network: on a host, the cluster's API server is somewhere else. */
function isAddressOfThisNode(host: string): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.some(({ address }) => address === host);
}
