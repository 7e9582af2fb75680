import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ensureImage, type ImageName } from './images/ensure-image.ts';
import type { Cluster } from './running-cluster.ts';
import { type Progress, printProgress, withProgress } from './toolchain/progress.ts';
import { run } from './toolchain/run-command.ts';
import { ensureTool } from './toolchain/tools.ts';

const repository = resolve(import.meta.dirname, '../..');

/** Namespace and Helm release of the operator in local clusters. */
export const operatorNamespace = 'mesh-operator';

export interface InstallOperatorOptions {
  /** Default 1. */
  readonly replicas?: number;
  /** Values of the chart beyond the defaults, as `--set` takes them. */
  readonly set?: Readonly<Record<string, string>>;
  readonly progress?: Progress;
}

/** Bundles the operator into `dist`, which its image and `npx mesh-operator` run. */
export async function buildOperator(): Promise<void> {
  await run('node', [resolve(repository, 'scripts/build.ts')], { cwd: repository });
}

/** Makes images known to the node, one after the other, saying how far it is. Real node only. */
export async function importImages(
  cluster: Cluster,
  names: readonly ImageName[],
  progress: Progress = printProgress,
): Promise<void> {
  for (const [index, name] of names.entries()) {
    await withProgress(progress, `image ${name} (${index + 1} of ${names.length})`, async () => {
      await cluster.importImage(await ensureImage(name));
    });
  }
}

/**
 * Installs the operator with its chart, by real helm, from the bundle in `dist/`, and returns when it is Ready.
 * Simulated nodes run no container: there the same bundle runs as one more server of the cluster.
 */
export async function installOperator(cluster: Cluster, options: InstallOperatorOptions = {}): Promise<void> {
  const { replicas = 1, set = {}, progress = printProgress } = options;
  if (cluster.nodes === 'kubelet') await importImages(cluster, ['mesh-operator'], progress);
  // Beside a cluster nobody is found by the Service of the webhooks.
  const admission = { 'admission.enabled': String(cluster.nodes === 'kubelet') };
  const values = { replicaCount: String(replicas), ...admission, ...set };
  const helm = await ensureTool('helm');
  await run(helm, [
    ...['upgrade', '--install', 'mesh-operator', resolve(repository, 'charts/mesh-operator')],
    ...['--kubeconfig', cluster.kubeconfigPath, '--namespace', operatorNamespace, '--create-namespace'],
    ...Object.entries(values).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
    ...['--wait', '--timeout', '240s'],
  ]);
  if (cluster.nodes !== 'kubelet') await launchOperator(cluster);
}

/** Runs the bundle beside the cluster, as one of its servers; needs the CRD. */
export async function launchOperator(cluster: Cluster): Promise<void> {
  await cluster.launch({
    name: 'mesh-operator',
    program: resolve(repository, 'node_modules/node/bin/node'),
    args: [
      resolve(repository, 'dist/mesh-operator.js'),
      'run',
      ...['--kubeconfig', cluster.kubeconfigPath, '--namespace', operatorNamespace],
      ...['--metrics-bind-address', '127.0.0.1:0', '--health-bind-address', '127.0.0.1:0'],
    ],
  });
}

/** A manifest of the repository. */
export async function readManifest(path: string): Promise<string> {
  return readFile(resolve(repository, path), 'utf8');
}
