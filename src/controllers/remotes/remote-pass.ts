import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { configClusterOf, type ResolvedRemote } from '../../api/resolved-multi-cluster.ts';
import type { CredentialKey } from './credential-secret.ts';

/** One pass for one other cluster. */
export interface RemotePass {
  readonly key: CredentialKey;
  readonly mesh: ResolvedMesh;
  /** The MeshOperator. */
  readonly owner: KubernetesObject;
  readonly remote: ResolvedRemote;
  /** What asks for another credential: an annotation of the mesh, whatever it says. */
  readonly request: string | undefined;
  readonly signal: AbortSignal;
}

/** Whether istiod has the other cluster for its own. */
export function isConfigCluster({ key, mesh }: Pick<RemotePass, 'key' | 'mesh'>): boolean {
  return configClusterOf(mesh) === key.clusterName;
}
