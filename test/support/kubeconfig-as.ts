import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import type { Cluster } from '../cluster/cluster.ts';

/** The kubeconfig of a cluster for another user than its admin; `user` is its entry in that. */
export async function kubeconfigAs({ kubeconfigPath }: Cluster, user: object): Promise<string> {
  const config = load(await readFile(kubeconfigPath, 'utf8')) as { readonly users: readonly object[] };
  return JSON.stringify({ ...config, users: config.users.map((entry) => ({ ...entry, user })) });
}
