import type { ObjectKey, ObjectMeta } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';

/** Metadata of an object that security settings are rendered to. */
export function securityMetadata(
  mesh: ResolvedMesh,
  context: RenderContext,
  { name, namespace }: ObjectKey,
): ObjectMeta {
  return objectMetadata(mesh, context, { name, namespace, component: 'security' });
}
