import { claimProblem, claimsOf, rivalClaims } from './claims.ts';
import { discoveryOverlap } from './discovery-overlap.ts';
import { gatewayKinds } from './gateway-kinds.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { tenantLabel } from './labels.ts';
import type { MeshOperatorSpec } from './mesh-operator-spec.ts';
import type { Problem } from './problem.ts';
import { quotaProblems } from './quota-fit.ts';
import type { ResolvedMesh } from './resolved-mesh.ts';
import { stablePolicyConflict } from './stable-policy-conflict.ts';
import { namesOfSelector } from './validation/tenancy-checks.ts';

/** What there is around a MeshOperator. */
export interface Neighbours {
  /** Other MeshOperators of the cluster. */
  readonly meshes: readonly KubernetesObject[];
  /** One of them with its defaults; undefined where its spec has problems. */
  readonly resolve: (mesh: KubernetesObject) => ResolvedMesh | undefined;
  /** Of a namespace; undefined where there is none of that name. */
  readonly labelsOf: (namespace: string) => Readonly<Record<string, string>> | undefined;
  /** ResourceQuotas of the mesh's own namespace. */
  readonly quotas: readonly KubernetesObject[];
  /** Undefined where it is not known. */
  readonly operatorNamespace: string | undefined;
}

/**
 * Why a MeshOperator without problems of its own cannot be beside the others: what two would have of which there is one,
 * namespaces that two could select, and what is not there for it. Each problem names the other mesh. Pure.
 */
export function findNeighbourProblems(
  object: KubernetesObject,
  mesh: ResolvedMesh,
  neighbours: Neighbours,
): Problem[] {
  const claiming = (key: string) =>
    neighbours.meshes.filter((other) => claimsOf(other).some((claim) => claim.key === key));
  const others = neighbours.meshes.flatMap((other) => {
    const resolved = neighbours.resolve(other);
    return resolved === undefined ? [] : [{ object: other, mesh: resolved }];
  });
  const spec = (object.spec ?? {}) as MeshOperatorSpec;
  const tenantOf = (namespace: string) => neighbours.labelsOf(namespace)?.[tenantLabel];
  return [
    ...rivalClaims(object, claiming).map(claimProblem),
    ...others.flatMap((other) => discoveryOverlap(mesh, other.mesh) ?? []),
    ...others.flatMap((other) => stablePolicyConflict({ object, mesh }, other)),
    ...ownNamespaceProblems(mesh, tenantOf),
    ...gatewayProblems(mesh, spec, tenantOf),
    ...memberProblems(mesh, tenantOf, neighbours.operatorNamespace),
    ...quotaProblems(mesh, neighbours.quotas),
  ];
}

/** What members that a spec names are not yet: they may still come, so nothing is refused for them. */
export function memberWarnings({ tenancy }: ResolvedMesh, labelsOf: Neighbours['labelsOf']): string[] {
  if (tenancy === undefined) return [];
  const { tenant, members } = tenancy;
  return members.namespaces.flatMap((name, index) => {
    const labels = labelsOf(name);
    const at = `spec.tenancy.members.namespaces[${index}]: namespace ${name}`;
    if (labels === undefined)
      return [`${at} does not exist; it will be a member when it does, with label ${tenantLabel}=${tenant}`];
    return labels[tenantLabel] === undefined
      ? [`${at} will be a member when it has label ${tenantLabel}=${tenant}`]
      : [];
  });
}

type TenantOf = (namespace: string) => string | undefined;

function ownNamespaceProblems({ tenancy, namespace }: ResolvedMesh, tenantOf: TenantOf): Problem[] {
  const owner = tenantOf(namespace);
  if (tenancy !== undefined)
    return owner === tenancy.tenant ? [] : [tenantNotAdmitted(tenancy.tenant, namespace)];
  if (owner === undefined) return [];
  const message = `${namespace} belongs to tenant ${owner}: set spec.tenancy.tenant to that, or take another namespace`;
  return [{ path: 'metadata.namespace', message }];
}

/** What is wrong with a tenant whose own namespace does not carry its label. */
export function tenantNotAdmitted(tenant: string, namespace: string): Problem {
  const message = `namespace ${namespace} is not the control plane of tenant ${tenant}: have it labelled ${tenantLabel}=${tenant}`;
  return { path: 'spec.tenancy.tenant', message };
}

function gatewayProblems(
  mesh: ResolvedMesh,
  { components = {} }: MeshOperatorSpec,
  tenantOf: TenantOf,
): Problem[] {
  return gatewayKinds.flatMap(({ list }) =>
    (components[list] ?? []).flatMap(({ namespace = mesh.namespace, enabled = true }, index): Problem[] => {
      const owner = tenantOf(namespace);
      const isForeign =
        enabled && namespace !== mesh.namespace && owner !== undefined && owner !== mesh.tenancy?.tenant;
      const path = `spec.components.${list}[${index}].namespace`;
      return isForeign
        ? [{ path, message: `${namespace} belongs to tenant ${owner}: take another namespace` }]
        : [];
    }),
  );
}

function memberProblems(
  { tenancy }: ResolvedMesh,
  tenantOf: TenantOf,
  operatorNamespace: string | undefined,
): Problem[] {
  if (tenancy === undefined) return [];
  const { tenant, members } = tenancy;
  const at = 'spec.tenancy.members';
  const named = members.namespaces.map((name, index) => ({ path: `${at}.namespaces[${index}]`, name }));
  const selected = namesOfSelector(members.selector ?? {}).map((name) => ({ path: `${at}.selector`, name }));
  return [...named, ...selected].flatMap(({ path, name }): Problem[] => {
    if (name === operatorNamespace)
      return [{ path, message: `must not select ${name}, where the operator is` }];
    const owner = tenantOf(name);
    return owner === undefined || owner === tenant
      ? []
      : [
          {
            path,
            message: `namespace ${name} belongs to tenant ${owner} by its label ${tenantLabel}: remove it here, or have it labelled otherwise`,
          },
        ];
  });
}
