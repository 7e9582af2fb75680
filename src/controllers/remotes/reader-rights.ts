import { rightsBeyond, rightsOfRules } from '../../api/policy-rule.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { Right } from '../../api/right.ts';
import type { KubeClient } from '../../kube/client.ts';
import { readerRules, renderReader } from '../../render/multicluster/reader.ts';
import { objectManager } from './field-managers.ts';

/** Makes whom istiod is in another cluster, and what it may read there; what there is otherwise of that name is set right. */
export async function applyReader(
  client: KubeClient,
  mesh: ResolvedMesh,
  isConfigCluster: boolean,
  signal: AbortSignal,
): Promise<void> {
  for (const object of renderReader(mesh, isConfigCluster)) {
    await client.apply(object, { fieldManager: objectManager, force: true }, signal);
  }
}

/** What the reader needs that it may not do, by what its own API server says of the rights of `client`. */
export async function lackingRights(
  client: KubeClient,
  mesh: ResolvedMesh,
  isConfigCluster: boolean,
  signal: AbortSignal,
): Promise<Right[]> {
  return rightsBeyond(await client.myRules(signal), rightsOfRules(readerRules(mesh, isConfigCluster)));
}
