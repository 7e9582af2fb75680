/**
 * Starts, ends and lists local clusters that outlive this command.
 *
 *   node test/cluster/main.ts up a --nodes kubelet
 *   node test/cluster/main.ts down a
 *   node test/cluster/main.ts list
 */
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { listClusters, openCluster, removeCluster, startCluster } from './cluster.ts';
import { type NodeKind, nodeKinds } from './cluster-plan.ts';
import type { Cluster } from './running-cluster.ts';
import { printProgress, seconds } from './toolchain/progress.ts';
import { ensureTool } from './toolchain/tools.ts';

const usage = `Usage: node test/cluster/main.ts up NAME [--nodes ${nodeKinds.join('|')}] | down NAME | list`;

async function up(name: string, nodes: NodeKind): Promise<void> {
  const running = (await listClusters()).find((cluster) => cluster.name === name);
  if (running !== undefined) {
    if (running.nodes !== nodes) {
      throw new Error(
        `cluster ${name} is running with nodes "${running.nodes}"; end it first: make cluster-down NAME=${name}`,
      );
    }
    printProgress(`cluster ${name} is running already`);
    await printWayIn(await openCluster(name));
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void giveUp(name));
  await printWayIn(
    await startCluster({
      name,
      nodes,
      survives: true,
      keepImages: nodes === 'kubelet',
      progress: printProgress,
    }),
  );
}

/** Leaves nothing half started. */
async function giveUp(name: string): Promise<void> {
  await removeCluster(name);
  process.exit(130);
}

async function down(name: string): Promise<void> {
  const start = performance.now();
  const found = await removeCluster(name);
  printProgress(
    found
      ? `cluster ${name}: all of it removed in ${seconds(performance.now() - start)}`
      : `cluster ${name}: nothing is there`,
  );
}

async function list(): Promise<void> {
  for (const { name, nodes, apiServerUrl, kubeconfigPath } of await listClusters()) {
    process.stdout.write(`${name}\t${nodes}\t${apiServerUrl}\t${kubeconfigPath}\n`);
  }
}

async function printWayIn(cluster: Cluster): Promise<void> {
  const kubectl = await ensureTool('kubectl');
  process.stdout.write(`
Cluster ${cluster.name} (nodes: ${cluster.nodes}) is ready at ${cluster.apiServerUrl}

  export KUBECONFIG=${cluster.kubeconfigPath}
  export PATH=${dirname(kubectl)}:$PATH
  kubectl get all -A

Logs of its servers: ${cluster.rundir}/logs. End it: make cluster-down NAME=${cluster.name}
`);
}

function isNodeKind(word: string): word is NodeKind {
  return (nodeKinds as readonly string[]).includes(word);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { nodes: { type: 'string', default: 'kubelet' } },
});
const [verb, name] = positionals;
try {
  if (verb === 'list') await list();
  else if (verb === 'up' && name !== undefined && isNodeKind(values.nodes)) await up(name, values.nodes);
  else if (verb === 'down' && name !== undefined) await down(name);
  else throw new Error(usage);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
