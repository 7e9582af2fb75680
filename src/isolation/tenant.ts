import { claimedBundle } from '../api/claims.ts';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { memberLabel, tenantLabel } from '../api/labels.ts';
import type { MeshOperator } from '../api/mesh-operator.ts';
import { resolveMesh } from '../api/resolve.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import type { ResolvedTenancy } from '../api/resolved-tenancy.ts';
import type { ClusterParts } from './observed-cluster.ts';

/** A tenant as its cluster has it. */
export interface Tenant {
  readonly name: string;
  readonly mesh: ResolvedMesh;
  readonly tenancy: ResolvedTenancy;
  /** The ConfigMap by which its proxies learn whom to trust. */
  readonly bundle: string;
  /** Namespaces whose labels make them its own, by name. */
  readonly members: readonly string[];
  /** Members, and the namespace of the control plane. */
  readonly namespaces: ReadonlySet<string>;
}

/** The tenant that a MeshOperator is for; undefined without `spec.tenancy`. The spec must be valid. */
export function tenantOf(mesh: KubernetesObject, { namespaces }: ClusterParts): Tenant | undefined {
  const resolved = resolveMesh(mesh as unknown as MeshOperator);
  const { tenancy } = resolved;
  if (tenancy === undefined) return undefined;
  const { tenant } = tenancy;
  const members = namespaces
    .filter(({ metadata: { labels } }) => labels?.[tenantLabel] === tenant && labels[memberLabel] === tenant)
    .map(({ metadata }) => metadata.name)
    .sort();
  return {
    ...{ name: tenant, mesh: resolved, tenancy, members },
    bundle: claimedBundle(mesh) ?? 'istio-ca-root-cert',
    namespaces: new Set([resolved.namespace, ...members]),
  };
}
