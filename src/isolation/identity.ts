import type { Tenant } from './tenant.ts';

/** Istio takes it for the trust domain of whoever reads it (Istio `pkg/spiffe`, `constants.DefaultClusterLocalDomain`). */
const ownTrustDomain = 'cluster.local';

/**
 * What a principal of an AuthorizationPolicy (`TRUST-DOMAIN/ns/NAMESPACE/sa/NAME`, with `*` at one end) means outside of
 * the tenant; undefined for one that means its own identities alone.
 */
export function outsidersOfPrincipal(pattern: string, tenant: Tenant): string | undefined {
  if (pattern.startsWith('*')) return 'identities of every trust domain';
  const isPrefix = pattern.endsWith('*');
  const [trustDomain = '', ...path] = (isPrefix ? pattern.slice(0, -1) : pattern).split('/');
  const isWhole = path.length > 0 || !isPrefix;
  if (!isWhole) return 'identities of every trust domain that begins so';
  if (trustDomain !== ownTrustDomain && trustDomain !== tenant.mesh.meshConfig.trustDomain) {
    return `identities of trust domain ${trustDomain}`;
  }
  const [, namespace, ...rest] = path;
  if (namespace === undefined || (isPrefix && rest.length === 0)) return undefined;
  return outsidersOfNamespace(namespace, tenant);
}

/** What a namespace of an AuthorizationPolicy means outside of the tenant; likewise undefined. */
export function outsidersOfNamespace(pattern: string, { namespaces }: Tenant): string | undefined {
  if (pattern.includes('*')) return 'identities of every namespace that is meant so';
  return namespaces.has(pattern) ? undefined : `identities of namespace ${pattern}`;
}

/** Likewise for `NAMESPACE/NAME`, or a name in the policy's own namespace. */
export function outsidersOfServiceAccount(text: string, tenant: Tenant): string | undefined {
  const [namespace = '', name] = text.split('/');
  return name === undefined ? undefined : outsidersOfNamespace(namespace, tenant);
}
