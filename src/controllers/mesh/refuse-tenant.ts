import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { tenantLabel } from '../../api/labels.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { TerminalError } from '../../base/errors.ts';

/**
 * Throws TerminalError with reason `TenantNotAdmitted` for a tenant whose own namespace does not carry its label: without
 * the word of whoever may label namespaces, anybody could claim the namespaces of a tenant by its name.
 */
export function refuseTenant(mesh: ResolvedMesh, namespace: KubernetesObject | undefined): void {
  const { tenancy } = mesh;
  if (tenancy === undefined || namespace?.metadata.labels?.[tenantLabel] === tenancy.tenant) return;
  const { tenant } = tenancy;
  const message = `spec.tenancy.tenant: namespace ${mesh.namespace} is not the control plane of tenant ${tenant}: have it labelled ${tenantLabel}=${tenant}`;
  throw new TerminalError(message, { reason: 'TenantNotAdmitted' });
}
