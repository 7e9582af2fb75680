import { memberLabel, tenantLabel } from './labels.ts';
import type { ResolveContext } from './resolve-context.ts';
import type { LabelSelector } from './resolved-injection.ts';
import type { JsonObject } from './resolved-mesh.ts';
import type { ResolvedTenancy } from './resolved-tenancy.ts';
import type { Tenancy } from './spec/tenancy.ts';

/** The tenancy with every default filled in. */
export function resolveTenancy(tenancy: Tenancy): ResolvedTenancy {
  const { tenant, members, isolation = 'Strict', egress = [], quota = {}, limits = [] } = tenancy;
  const { selector, namespaces = [] } = members;
  return {
    tenant,
    members: {
      ...(selector === undefined ? {} : { selector: selector as LabelSelector }),
      namespaces: [...new Set(namespaces)],
    },
    isolation,
    egress: egress.map(({ cidrs = [], ...allowance }) => ({ ...allowance, cidrs })),
    quota: Object.fromEntries(Object.entries(quota).map(([name, value]) => [name, String(value)])),
    limits: limits as readonly JsonObject[],
  };
}

/** The ConfigMap by which proxies of a tenant learn whom to trust; no other mesh writes one of this name. */
export function tenantBundleName(tenant: string): string {
  return `istio-ca-root-cert-${tenant}`;
}

/**
 * What MeshConfig says of a tenant, which its spec may not contradict: istiod knows of the control plane's own namespace
 * and of members alone. A member has the label of whoever may label namespaces, and those of the operator.
 */
export function tenantMeshConfig(
  { tenant, isolation }: ResolvedTenancy,
  { namespace, revision }: Pick<ResolveContext, 'namespace' | 'revision'>,
): JsonObject {
  return {
    trustDomain: tenant,
    discoverySelectors: [
      { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      { matchLabels: { [tenantLabel]: tenant, [memberLabel]: tenant, 'istio.io/rev': revision } },
    ],
    ...(isolation === 'Strict' ? { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } } : {}),
  };
}
