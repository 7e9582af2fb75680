import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import { type MetadataOptions, objectMetadata } from './object-metadata.ts';
import type { RenderContext } from './render-context.ts';
import { renderObject } from './template-engine.ts';

/** The right to run pods of priority `system-node-critical` where that is restricted, or nothing. */
export function renderResourceQuota(
  mesh: ResolvedMesh,
  context: RenderContext,
  options: MetadataOptions & { readonly pods: number | undefined },
): KubernetesObject[] {
  if (options.pods === undefined) return [];
  return [
    renderObject('workload/30-resource-quota', {
      metadata: objectMetadata(mesh, context, options),
      pods: options.pods,
    }),
  ];
}
