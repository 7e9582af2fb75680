import { precedes } from '../../api/claims.ts';
import { discoveryOverlap } from '../../api/discovery-overlap.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { tenantLabel } from '../../api/labels.ts';
import { tenantNotAdmitted } from '../../api/neighbour-problems.ts';
import { problemText } from '../../api/problem.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { TerminalError } from '../../base/errors.ts';

/**
 * Throws TerminalError with reason `TenantNotAdmitted` for a tenant whose own namespace does not carry its label: without
 * the word of whoever may label namespaces, anybody could claim the namespaces of a tenant by its name.
 */
export function refuseTenant(mesh: ResolvedMesh, namespace: KubernetesObject | undefined): void {
  const { tenancy } = mesh;
  if (tenancy === undefined || namespace?.metadata.labels?.[tenantLabel] === tenancy.tenant) return;
  const problem = tenantNotAdmitted(tenancy.tenant, mesh.namespace);
  throw new TerminalError(problemText(problem), { reason: 'TenantNotAdmitted' });
}

/**
 * Throws TerminalError with reason `TenancyOverlap` for a mesh that is younger than one that it would share namespaces with:
 * the older one keeps them. `others` are meshes with their defaults.
 */
export function refuseOverlap(
  object: KubernetesObject,
  mesh: ResolvedMesh,
  others: Iterable<readonly [KubernetesObject, ResolvedMesh]>,
): void {
  for (const [other, resolved] of others) {
    const problem = precedes(other, object) ? discoveryOverlap(mesh, resolved) : undefined;
    if (problem !== undefined) throw new TerminalError(problemText(problem), { reason: 'TenancyOverlap' });
  }
}
