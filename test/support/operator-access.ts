import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { dump, loadAll } from 'js-yaml';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { operatorNamespace } from '../cluster/operator.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { kubeconfigAs } from './kubeconfig-as.ts';
import { untilMeshOperatorsAreServed } from './mesh-operator-crd.ts';

/** Who the operator is to the API server, as the chart makes it. */
export interface OperatorAccess {
  /** May do what the chart's roles allow and nothing else. */
  readonly kubeconfig: string;
  /** Its name in the audit log. */
  readonly user: string;
}

const chart = resolve(import.meta.dirname, '../../charts/mesh-operator');
/** What an operator that runs outside the cluster needs of the chart. */
const accessKinds = [
  ...['CustomResourceDefinition', 'ServiceAccount'],
  ...['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
];

/** What `helm template` makes of the chart. Throws with Helm's complaint when it refuses. */
export async function templateChart(...flags: readonly string[]): Promise<KubernetesObject[]> {
  const helm = await ensureTool('helm');
  const text = await run(helm, ['template', 'mesh-operator', chart, '-n', operatorNamespace, ...flags]);
  return loadAll(text).filter((object) => object !== null && object !== undefined) as KubernetesObject[];
}

/** Installs the chart's CRD and roles, and makes a kubeconfig for its service account. */
export async function installOperatorAccess(cluster: Cluster): Promise<OperatorAccess> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: operatorNamespace } };
  const objects = (await templateChart()).filter(({ kind }) => accessKinds.includes(kind));
  await cluster.apply([namespace, ...objects].map((object) => dump(object)).join('---\n'));
  await untilMeshOperatorsAreServed(cluster);
  const token = await cluster.kubectl(
    ...['create', 'token', 'mesh-operator', '--namespace', operatorNamespace, '--duration', '8h'],
  );
  const kubeconfig = join(await mkdtemp(join(tmpdir(), 'operator-access-')), 'kubeconfig');
  await writeTokenKubeconfig(cluster, token, kubeconfig);
  return { kubeconfig, user: `system:serviceaccount:${operatorNamespace}:mesh-operator` };
}

/** Writes a kubeconfig of the cluster for whoever has this token. */
export async function writeTokenKubeconfig(cluster: Cluster, token: string, path: string): Promise<void> {
  await writeFile(path, await kubeconfigAs(cluster, { token }), { mode: 0o600 });
}
