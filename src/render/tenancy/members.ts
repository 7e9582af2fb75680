import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { ResolvedTenancy } from '../../api/resolved-tenancy.ts';
import { renderMemberBinding } from '../control-plane/access.ts';
import { deploysGateways, renderGatewayControllerBinding } from '../control-plane/gateway-controller.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';

/**
 * What each member namespace of a tenant gets: the right of the tenant's istiod to write there, a quota and limits.
 * Nothing for a mesh without tenancy.
 */
export function renderMembers(
  mesh: ResolvedMesh,
  context: RenderContext,
  members: readonly string[],
): KubernetesObject[] {
  const { tenancy } = mesh;
  if (tenancy === undefined) return [];
  return members.flatMap((namespace) => [
    ...(mesh.pilot.enabled ? [renderMemberBinding(mesh, context, namespace)] : []),
    ...(mesh.pilot.enabled && deploysGateways(mesh)
      ? [renderGatewayControllerBinding(mesh, context, namespace)]
      : []),
    ...renderLimits(mesh, context, tenancy, namespace),
  ]);
}

function renderLimits(
  mesh: ResolvedMesh,
  context: RenderContext,
  { tenant, quota, limits }: ResolvedTenancy,
  namespace: string,
): KubernetesObject[] {
  const metadata = objectMetadata(mesh, context, {
    ...{ name: `tenant-${tenant}`, namespace },
    component: 'tenancy',
  });
  return [
    ...(Object.keys(quota).length === 0
      ? []
      : [renderObject('tenancy/10-resource-quota', { metadata, hard: quota })]),
    ...(limits.length === 0 ? [] : [renderObject('tenancy/11-limit-range', { metadata, limits })]),
  ];
}
