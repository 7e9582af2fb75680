import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { proveAccessRights } from './access-rights.ts';
import { proveAuthorizationPolicies } from './authorization-policies.ts';
import { proveDiscovery } from './discovery.ts';
import {
  type IsolationFinding,
  type IsolationLayer,
  isolationLayers,
  type LayerResult,
  type PlatformSubject,
} from './finding.ts';
import { proveNetworkPolicies } from './network-policies.ts';
import type { ClusterPart, ObservedCluster } from './observed-cluster.ts';
import { type Tenant, tenantOf } from './tenant.ts';
import { proveTrustRoots } from './trust-roots.ts';

/** `Open`: there is a way; `NotProven`: none was seen, and not everything could be looked at. */
export type IsolationVerdict = 'Isolated' | 'Open' | 'NotProven';

/** What one layer of a tenant is. */
export interface LayerReport {
  readonly layer: IsolationLayer;
  readonly verdict: IsolationVerdict;
  /** What could not be looked at, sentences without their full stop. */
  readonly unproven: readonly string[];
  /** Open ways first. */
  readonly findings: readonly IsolationFinding[];
}

/** What a tenant is. */
export interface IsolationReport {
  readonly tenant: string;
  /** `NAMESPACE/NAME` of its MeshOperator. */
  readonly mesh: string;
  readonly members: readonly string[];
  /** That of the worst layer. */
  readonly verdict: IsolationVerdict;
  readonly layers: readonly LayerReport[];
  /** Who may act in the tenant, and is no finding. */
  readonly platform: readonly PlatformSubject[];
}

export interface ProofOptions {
  /** Namespaces whose ServiceAccounts are the platform's. */
  readonly platformNamespaces?: readonly string[];
}

interface LayerProof {
  readonly needs: readonly ClusterPart[];
  readonly prove: (tenant: Tenant, cluster: ObservedCluster, options: ProofOptions) => LayerResult;
}

const proofs: Readonly<Record<IsolationLayer, LayerProof>> = {
  NetworkPolicy: { needs: ['namespaces', 'pods', 'networkPolicies'], prove: proveNetworkPolicies },
  AuthorizationPolicy: { needs: ['namespaces', 'istioObjects'], prove: proveAuthorizationPolicies },
  RBAC: {
    needs: ['namespaces', 'meshes', 'roles', 'bindings'],
    prove: (tenant, cluster, { platformNamespaces }) =>
      proveAccessRights(tenant, cluster, platformNamespaces),
  },
  TrustRoots: { needs: ['namespaces', 'bundles', 'authorities', 'controlPlanes'], prove: proveTrustRoots },
  Discovery: {
    needs: ['namespaces', 'pods', 'services', 'istioObjects', 'controlPlanes', 'remoteSecrets', 'webhooks'],
    prove: proveDiscovery,
  },
};

/**
 * Whether a tenant is isolated, layer by layer, each looked at as if there were no other. Pure. Undefined for a MeshOperator
 * without `spec.tenancy`; its spec must be valid.
 */
export function proveIsolation(
  mesh: KubernetesObject,
  cluster: ObservedCluster,
  options: ProofOptions = {},
): IsolationReport | undefined {
  const tenant = tenantOf(mesh, cluster);
  if (tenant === undefined) return undefined;
  const results = isolationLayers.map((layer) => ({
    layer,
    ...proofs[layer].prove(tenant, cluster, options),
  }));
  const layers = results.map(({ layer, findings, unproven = [] }): LayerReport => {
    const unread = proofs[layer].needs.flatMap((part) => cluster.unread[part] ?? []);
    const missing = [...unread, ...unproven];
    const of = (severity: IsolationFinding['severity']) =>
      findings.filter((each) => each.severity === severity);
    const open = of('open');
    const verdict = open.length > 0 ? 'Open' : missing.length > 0 ? 'NotProven' : 'Isolated';
    return { layer, verdict, unproven: missing, findings: [...open, ...of('note')] };
  });
  return {
    ...{ tenant: tenant.name, mesh: `${tenant.mesh.namespace}/${tenant.mesh.name}`, members: tenant.members },
    ...{ verdict: worst(layers), layers, platform: results.flatMap(({ platform = [] }) => platform) },
  };
}

function worst(layers: readonly LayerReport[]): IsolationVerdict {
  const has = (verdict: IsolationVerdict) => layers.some((layer) => layer.verdict === verdict);
  if (has('Open')) return 'Open';
  return has('NotProven') ? 'NotProven' : 'Isolated';
}
