import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import { tenantBundleName } from '../../src/api/resolve-tenancy.ts';
import type { IsolationFinding } from '../../src/isolation/finding.ts';
import type { ObservedCluster, ObservedRoots } from '../../src/isolation/observed-cluster.ts';
import { type IsolationReport, proveIsolation } from '../../src/isolation/prove-isolation.ts';
import { type Tenant, tenantOf } from '../../src/isolation/tenant.ts';
import { renderMesh } from '../../src/render/render-mesh.ts';
import { type Authority, anAuthority } from './authorities.ts';
import { aMeshOperator } from './mesh-operator.ts';
import { aRenderContext } from './render-context.ts';
import { podTemplateOf } from './rendered-objects.ts';

/** Everything of a tenant that a cluster has when the operator has made it. */
export interface MadeTenant {
  readonly mesh: MeshOperator;
  readonly members: readonly string[];
  readonly authority: Authority;
  readonly cluster: ObservedCluster;
}

const empty: ObservedCluster = {
  ...{
    meshes: [],
    namespaces: [],
    pods: [],
    services: [],
    networkPolicies: [],
    istioObjects: [],
    roles: [],
    bindings: [],
  },
  ...{ controlPlanes: [], bundles: [], authorities: [], remoteSecrets: [], webhooks: [], unread: {} },
};

let last = 0;

/** Tenant `NAME` with control plane in `NAME-system` and members `NAME-web` and `NAME-db`, each with a pod. */
export async function aTenant(tenant: string, spec: MeshOperatorSpec = {}): Promise<MadeTenant> {
  const namespace = `${tenant}-system`;
  const members = [`${tenant}-web`, `${tenant}-db`];
  const mesh = aMeshOperator(
    {
      ...{ revision: tenant, profile: 'minimal', tenancy: { tenant, members: { namespaces: members } } },
      networkPolicy: { apiServer: { cidrs: ['192.0.2.1/32'], ports: [6443] } },
      security: { mtls: { mode: 'STRICT' }, authorization: { defaultDeny: true } },
      components: { ingressGateways: [{ name: 'gateway' }] },
      ...spec,
    },
    { name: tenant, namespace },
  );
  const resolved = resolveMesh(mesh);
  const objects = renderMesh(resolved, aRenderContext(), members).flatMap((wave) => wave.objects);
  const ofKind = (...kinds: string[]) => objects.filter(({ kind }) => kinds.includes(kind));
  const authority = await anAuthority();
  const labels = {
    ...{ 'meshoperator.dev/tenant': tenant, 'meshoperator.dev/member': tenant, 'istio.io/rev': tenant },
  };
  return {
    ...{ mesh, members, authority },
    cluster: {
      ...empty,
      meshes: [mesh as unknown as KubernetesObject],
      namespaces: [
        aNamespace(namespace, { 'meshoperator.dev/tenant': tenant }),
        ...members.map((name) => aNamespace(name, labels)),
      ],
      pods: [
        ...ofKind('Deployment').map(({ metadata }) =>
          aPod(
            metadata.namespace ?? '',
            metadata.name,
            podTemplateOf(objects, metadata.name).metadata.labels,
          ),
        ),
        ...members.map((name) => aPod(name, 'app', { app: 'app' })),
      ],
      networkPolicies: ofKind('NetworkPolicy'),
      istioObjects: ofKind('AuthorizationPolicy', 'PeerAuthentication'),
      roles: ofKind('Role', 'ClusterRole'),
      bindings: ofKind('RoleBinding', 'ClusterRoleBinding'),
      webhooks: ofKind('MutatingWebhookConfiguration'),
      controlPlanes: [
        {
          ...{ source: `ConfigMap ${namespace}/istio-${tenant}`, namespace, revision: tenant },
          meshConfig: resolved.meshConfig,
        },
      ],
      bundles: [namespace, ...members].map((name) => rootsIn(name, tenantBundleName(tenant), authority)),
      authorities: [
        {
          ...{ source: `Secret ${namespace}/cacerts`, namespace, name: 'cacerts' },
          pem: authority.root.certPem + authority.intermediate.certPem,
        },
      ],
    },
  };
}

/** The roots of an authority, as a ConfigMap has them. */
export function rootsIn(namespace: string, name: string, { root }: Authority): ObservedRoots {
  return { source: `ConfigMap ${namespace}/${name}`, namespace, name, pem: root.certPem };
}

export function aNamespace(name: string, labels: Record<string, string> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function aPod(
  namespace: string,
  name: string,
  labels: Record<string, string>,
  fields: { readonly hostNetwork?: boolean } = {},
): KubernetesObject {
  last++;
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels } },
    spec: { containers: [], ...fields },
    status: { phase: 'Running', podIP: `10.244.${last >> 8}.${last & 255}`, hostIP: '172.16.0.9' },
  };
}

/** One cluster of everything that these have. */
export function together(...parts: readonly Partial<ObservedCluster>[]): ObservedCluster {
  const keys = Object.keys(empty) as (keyof ObservedCluster)[];
  return Object.fromEntries(
    keys.map((key) => [
      key,
      key === 'unread'
        ? Object.assign({}, ...parts.map((part) => part.unread ?? {}))
        : parts.flatMap((part) => (part[key] ?? []) as readonly unknown[]),
    ]),
  ) as unknown as ObservedCluster;
}

/** The tenant as one layer has it. */
export function tenantIn({ mesh }: MadeTenant, cluster: ObservedCluster): Tenant {
  const tenant = tenantOf(mesh as unknown as KubernetesObject, cluster);
  if (tenant === undefined) throw new Error('it is no tenant');
  return tenant;
}

/** What is said of a tenant in a cluster. */
export function prove({ mesh }: MadeTenant, cluster: ObservedCluster): IsolationReport {
  const report = proveIsolation(mesh as unknown as KubernetesObject, cluster);
  if (report === undefined) throw new Error('it is no tenant');
  return report;
}

/** Findings as `open NetworkPolicy red-web/hole spec.ingress[0]`, in their order: what tests compare. */
export function linesOf(findings: readonly IsolationFinding[]): string[] {
  return findings.map(({ severity, object, path }) =>
    [severity, object, path].filter((word) => word !== undefined).join(' '),
  );
}
