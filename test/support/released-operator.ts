import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { operatorNamespace } from '../cluster/operator.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { untilMeshOperatorsAreServed } from './mesh-operator-crd.ts';
import { writeTokenKubeconfig } from './operator-access.ts';
import { RunningOperator } from './running-operator.ts';

const chart = resolve(import.meta.dirname, '../../charts/mesh-operator');

/** Its process does not run in the cluster, so nothing answers the webhooks of MeshOperators there. */
const withoutWebhooks = ['--set', 'admission.enabled=false'];

/**
 * The operator as people have it: a release of Helm, with the process that simulated nodes do not run. It has the rights of
 * the release, and ends as its pods would.
 */
export class ReleasedOperator {
  readonly #cluster: Cluster;
  readonly #folder: string;
  readonly #process: RunningOperator;

  private constructor(cluster: Cluster, folder: string, process: RunningOperator) {
    this.#cluster = cluster;
    this.#folder = folder;
    this.#process = process;
  }

  /** Returns when it works. */
  static async install(cluster: Cluster): Promise<ReleasedOperator> {
    await helm(
      cluster,
      'upgrade',
      '--install',
      'mesh-operator',
      chart,
      '--create-namespace',
      ...withoutWebhooks,
    );
    await untilMeshOperatorsAreServed(cluster);
    const token = await cluster.kubectl('create', 'token', 'mesh-operator', '-n', operatorNamespace);
    const folder = await mkdtemp(join(tmpdir(), 'released-operator-'));
    const kubeconfig = join(folder, 'kubeconfig');
    await writeTokenKubeconfig(cluster, token, kubeconfig);
    const process = RunningOperator.start({ kubeconfig, namespace: operatorNamespace });
    const operator = new ReleasedOperator(cluster, folder, process);
    try {
      await process.untilLeading();
      return operator;
    } catch (error) {
      await operator.end(); // or it would keep the Lease from the next
      throw error;
    }
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  /** The last lines of its log. */
  tail(): string {
    return this.#process.tail();
  }

  /** Brings the webhooks of MeshOperators, which nothing answers, as when the operator is lost: not one more can be made. */
  async installWebhooks(): Promise<void> {
    await helm(this.#cluster, 'upgrade', 'mesh-operator', chart);
  }

  /** `helm uninstall`. */
  async uninstall(): Promise<void> {
    await helm(this.#cluster, 'uninstall', 'mesh-operator');
    await this.end();
  }

  /** What becomes of its pods when their Deployment or their namespace is deleted. */
  async end(): Promise<void> {
    await this.#process.end();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function helm(cluster: Cluster, ...args: readonly string[]): Promise<void> {
  const flags = ['--kubeconfig', cluster.kubeconfigPath, '--namespace', operatorNamespace];
  await run(await ensureTool('helm'), [...args, ...flags]);
}
