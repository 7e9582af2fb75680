import type { MeshOperator } from '../api/mesh-operator.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import type { ObservedMesh } from './observed-mesh.ts';
import type { RenderContext } from './render-context.ts';
import { renderMesh } from './render-mesh.ts';
import { renderRevisions } from './revisions/render-revisions.ts';
import type { Wave } from './wave.ts';

/**
 * Every object of a MeshOperator, by wave. `mesh` is the object with its defaults filled in; `observed` counts where its
 * upgrades are `RevisionBased`, for a tenant, while policies of peers wait, and where another cluster has the istiod.
 */
export function renderMeshOperator(
  object: MeshOperator,
  mesh: ResolvedMesh,
  observed: ObservedMesh,
  context: RenderContext,
): readonly Wave[] {
  const { peers, primaryAddresses } = observed;
  const isTold = primaryAddresses !== undefined && mesh.remote?.isTold === true;
  const now = {
    ...mesh,
    ...(peers === undefined ? {} : { security: { ...mesh.security, peers } }),
    ...(isTold ? { remote: { ...mesh.remote, addresses: primaryAddresses } } : {}),
  };
  return mesh.upgrade.strategy === 'RevisionBased'
    ? renderRevisions(object, now, observed, context)
    : renderMesh(now, context, observed.members);
}
