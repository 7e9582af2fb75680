import { kubeconfigOptions, tokenFileOption } from '../../api/kubeconfig-options.ts';
import type { JsonObject, ResolvedMesh } from '../../api/resolved-mesh.ts';
import { configClusterOf } from '../../api/resolved-multi-cluster.ts';
import { envValue } from '../environment.ts';

/** The Secret in the namespace of a mesh with the tokens by which its istiods are in other clusters: a key for each cluster. */
export const remoteTokensName = 'istio-remote-tokens';

const folder = '/var/run/secrets/remote-tokens';
const volume = 'remote-tokens';

/** Where an istiod has the token for another cluster. */
export function remoteTokenFile(clusterName: string): string {
  return `${folder}/${clusterName}`;
}

/**
 * How an istiod gets tokens for other clusters whose kubeconfigs keep their bytes. Every istiod of a mesh of several
 * clusters has it, whatever its version: beside one that loses endpoints with each other kubeconfig, it reads the same ones.
 */
export function remoteTokens(mesh: Pick<ResolvedMesh, 'multiCluster'>): {
  readonly env: JsonObject[];
  readonly volumes: JsonObject[];
  readonly volumeMounts: JsonObject[];
} {
  if (mesh.multiCluster?.role !== 'Primary') return { env: [], volumes: [], volumeMounts: [] };
  // In the cluster that it has for its own, istiod is nobody without it.
  const optional = configClusterOf(mesh) === undefined ? { optional: true } : {};
  return {
    env: [envValue(kubeconfigOptions, tokenFileOption)],
    volumes: [{ name: volume, secret: { secretName: remoteTokensName, ...optional } }],
    volumeMounts: [{ name: volume, mountPath: folder, readOnly: true }],
  };
}
