import { copyFile, cp, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { dump, load } from 'js-yaml';
import { systemClock } from '../../src/base/clock.ts';
import { operatorSettings } from '../../src/config/operator-config.ts';
import { type ApiConnection, openConnection } from '../../src/kube/api-connection.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { startCluster } from '../cluster/cluster.ts';
import { operatorNamespace } from '../cluster/operator.ts';
import type { Cluster } from '../cluster/running-cluster.ts';
import { printProgress } from '../cluster/toolchain/progress.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { AuditCounter } from './audit-counts.ts';
import { BenchOperator, type BenchOperatorOptions } from './bench-operator.ts';
import { cpuSeconds } from './cpu-time.ts';

const repository = resolve(import.meta.dirname, '../..');
const serviceAccount = 'mesh-operator';

/** Requests under way at once, of the operator by default and of the plain loop that it is compared with. */
export const requestsAtOnce = Number(operatorSettings.maxInFlight.default);

/** A cluster with simulated nodes, the operator's chart in it, and clients to work with. */
export interface BenchCluster {
  readonly cluster: Cluster;
  /** The bench's own client, as the cluster's admin. */
  readonly client: KubeClient;
  /** A client with the operator's own rights: what writes roles is checked against what it holds, which takes time. */
  readonly operatorClient: KubeClient;
  /** Closes the clients' connections and ends the cluster. */
  readonly stop: () => Promise<void>;
  /** Seconds of processor time that the API server has used. */
  readonly apiServerCpuSeconds: () => Promise<number>;
  /** Counts what the operator asks. */
  readonly audit: AuditCounter;
  /** The operator's program, as it was when the cluster was started. */
  readonly bundle: string;
  /** Starts the operator with the rights of its chart. */
  readonly startOperator: (options?: Partial<BenchOperatorOptions>) => BenchOperator;
}

export interface BenchClusterOptions {
  /** Flags of Node for the operator, such as `--cpu-prof`. */
  readonly nodeFlags: readonly string[];
  /** As in `ClusterOptions`. */
  readonly canExec?: boolean;
}

/**
 * Starts it. The chart's own pod is simulated like all others: its bundle runs as a child process, as the ServiceAccount
 * that the chart makes, so that rights are checked and the audit log tells its requests from all others.
 */
export async function startBenchCluster({ nodeFlags, canExec }: BenchClusterOptions): Promise<BenchCluster> {
  const name = `bench-${process.pid}`;
  const cluster = await startCluster({
    ...{ name, nodes: 'kwok', fakeNodes: 4, progress: printProgress },
    ...(canExec === undefined ? {} : { canExec }),
  });
  await installChart(cluster);
  const kubeconfig = await writeOperatorKubeconfig(cluster);
  // A copy, since a build while the bench runs would change what is measured.
  const bundle = join(cluster.rundir, 'dist/mesh-operator.js');
  await cp(resolve(repository, 'dist'), dirname(bundle), { recursive: true });
  await copyFile(resolve(repository, 'package.json'), join(cluster.rundir, 'package.json'));
  const connections = [cluster.kubeconfigPath, kubeconfig].map((path) =>
    openConnection({ kubeconfig: path }, systemClock),
  );
  const [admin, operator] = connections.map(clientOf);
  if (admin === undefined || operator === undefined) throw new Error('a client is missing');
  const user = `system:serviceaccount:${operatorNamespace}:${serviceAccount}`;
  const defaults: BenchOperatorOptions = {
    bundle,
    kubeconfig,
    namespace: operatorNamespace,
    identity: 'bench',
    logLevel: 'info',
    nodeFlags,
  };
  return {
    cluster,
    bundle,
    client: admin,
    operatorClient: operator,
    stop: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      await cluster.stop();
    },
    apiServerCpuSeconds: () => cpuSeconds(cluster.serverPid('kube-apiserver') ?? 0),
    audit: new AuditCounter(cluster.auditLogPath ?? '', user),
    startOperator: (options = {}) => new BenchOperator({ ...defaults, ...options }),
  };
}

function clientOf(connection: ApiConnection): KubeClient {
  return new KubeClient({ connection, clock: systemClock, maxInFlight: requestsAtOnce });
}

async function installChart(cluster: Cluster): Promise<void> {
  await run(await ensureTool('helm'), [
    ...['install', 'mesh-operator', resolve(repository, 'charts/mesh-operator')],
    ...['--kubeconfig', cluster.kubeconfigPath, '--namespace', operatorNamespace, '--create-namespace'],
    // Nobody answers the webhooks: operators run beside the cluster.
    ...['--set', 'replicaCount=1', '--set', 'admission.enabled=false', '--wait', '--timeout', '240s'],
  ]);
}

/** The admin's kubeconfig with the token of the operator's ServiceAccount in the place of the certificate. */
async function writeOperatorKubeconfig(cluster: Cluster): Promise<string> {
  const token = await cluster.kubectl('create', 'token', serviceAccount, '-n', operatorNamespace);
  const view = load(await cluster.kubectl('config', 'view', '--raw')) as { users: [{ user: unknown }] };
  view.users[0].user = { token: token.trim() };
  const path = join(cluster.rundir, 'operator.kubeconfig');
  await writeFile(path, dump(view), { mode: 0o600 });
  return path;
}
