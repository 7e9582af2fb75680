import type { PlatformName } from './platforms.ts';
import type { ResolvedNetworkPolicy } from './resolved-network-policy.ts';
import type { NetworkPolicySettings } from './spec/network-policy.ts';

/** Where DNS is that nobody said anything of. OpenShift: the DaemonSet `dns-default` of its DNS operator. */
const usualDns = { namespace: 'kube-system', podLabels: { 'k8s-app': 'kube-dns' }, ports: [53] };
const openshiftDns = {
  namespace: 'openshift-dns',
  podLabels: { 'dns.operator.openshift.io/daemonset-dns': 'default' },
  ports: [5353],
};

/** The settings with every default filled in; undefined where there are no policies. */
export function resolveNetworkPolicy(
  settings: NetworkPolicySettings | undefined,
  platform: PlatformName | undefined,
): ResolvedNetworkPolicy | undefined {
  if (settings === undefined || settings.enabled === false) return undefined;
  const { apiServer, dns, monitoring, meshCIDRs, jwks } = settings;
  const defaultDns = platform === 'openshift' ? openshiftDns : usualDns;
  return {
    apiServer: { cidrs: unique(apiServer?.cidrs), ports: apiServer?.ports ?? [443, 6443] },
    dns: {
      namespace: dns?.namespace ?? defaultDns.namespace,
      podLabels: dns?.podLabels ?? defaultDns.podLabels,
      cidrs: unique(dns?.cidrs),
      ports: dns?.ports ?? defaultDns.ports,
    },
    monitoring: unique(monitoring?.namespaces),
    meshCidrs: unique(meshCIDRs),
    ...(jwks === undefined ? {} : { jwks: { cidrs: unique(jwks.cidrs), ports: jwks.ports ?? [443] } }),
  };
}

function unique(list: readonly string[] = []): readonly string[] {
  return [...new Set(list)];
}
