import { isRecord } from '../base/stable-json.ts';
import { keyText } from './kubernetes-object.ts';
import { tenantLabel } from './labels.ts';
import type { Problem } from './problem.ts';
import type { LabelSelector } from './resolved-injection.ts';
import type { ResolvedMesh } from './resolved-mesh.ts';
import { canMatchTogether } from './selector-overlap.ts';

const remedy = `{matchExpressions: [{key: ${tenantLabel}, operator: DoesNotExist}]}`;

/**
 * What is wrong with `mesh` beside `other`, when one of them is a tenant and the other one could discover a namespace of it.
 * Two tenants never can: a namespace has one label.
 */
export function discoveryOverlap(mesh: ResolvedMesh, other: ResolvedMesh): Problem | undefined {
  if (mesh.tenancy !== undefined && other.tenancy === undefined) {
    if (!discoversTenant(other, mesh.tenancy.tenant)) return undefined;
    const message = `${mesh.tenancy.tenant} would share its namespaces with MeshOperator ${keyText(other)}, which can discover them: have each of its spec.meshConfig.discoverySelectors leave out label ${tenantLabel}, for example ${remedy}`;
    return { path: 'spec.tenancy.tenant', message };
  }
  if (mesh.tenancy === undefined && other.tenancy !== undefined) {
    const { tenant } = other.tenancy;
    if (!discoversTenant(mesh, tenant)) return undefined;
    const message = `can match namespaces of tenant ${tenant} (MeshOperator ${keyText(other)}, spec.tenancy): have each selector leave out label ${tenantLabel}, for example ${remedy}`;
    return { path: 'spec.meshConfig.discoverySelectors', message };
  }
  return undefined;
}

function discoversTenant({ pilot, meshConfig }: ResolvedMesh, tenant: string): boolean {
  if (!pilot.enabled) return false;
  const { discoverySelectors } = meshConfig;
  const selectors = (Array.isArray(discoverySelectors) ? discoverySelectors : []).filter(isRecord);
  const discovered = selectors.length === 0 ? [{}] : (selectors as readonly LabelSelector[]);
  return discovered.some((selector) =>
    canMatchTogether(selector, { matchLabels: { [tenantLabel]: tenant } }),
  );
}
