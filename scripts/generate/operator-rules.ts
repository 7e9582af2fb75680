import { type KindInfo, kindInfo } from '../../src/api/kinds.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import { profileNames } from '../../src/api/profiles.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import { istioVersions } from '../../src/api/versions.ts';
import { stableJson } from '../../src/base/stable-json.ts';
import { optionalKinds, ownedKinds, unwatchedKinds } from '../../src/controllers/mesh/owned-kinds.ts';
import { renderMesh } from '../../src/render/render-mesh.ts';

/** One rule of a Role or ClusterRole (rbac.authorization.k8s.io/v1). */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Server-side apply that may create needs patch and create; update is for writes to a fixed version. */
const ownVerbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/**
 * What the operator itself does, beside what it grants: it owns these kinds, reads and patches MeshOperators, applies
 * Istio's CRDs, writes Events and reads those of refused pods, keeps the serving certificates of injectors, tries them
 * by pods in dry runs and tells theirs of changed mounts, looks for pods without the sidecar that they should have and
 * evicts those where the spec says so, restarts workloads for upgrades, keeps authorities, orders intermediates from cert-manager and asks proxies what
 * they trust; asks what authors of meshes may do; at deletion it removes istiod's own locks and bundles.
 * Its Lease lives in its own namespace and is in a Role of the chart.
 */
function operatorNeeds(): PolicyRule[] {
  return [
    ...[...ownedKinds, ...optionalKinds.map(({ kind }) => kind)].map((kind) => rule(kind, ownVerbs)),
    // Meshes whose upgrades are RevisionBased consist of further ones.
    rule(kindInfo('meshoperator.dev/v1alpha1', 'MeshOperator'), ownVerbs),
    { apiGroups: ['meshoperator.dev'], resources: ['meshoperators/status'], verbs: ['patch'] },
    { apiGroups: ['meshoperator.dev'], resources: ['meshoperators/finalizers'], verbs: ['update'] },
    rule(kindInfo('apiextensions.k8s.io/v1', 'CustomResourceDefinition'), [
      'create',
      'get',
      'list',
      'patch',
      'watch',
    ]),
    // Specs that a person may go back to.
    rule(kindInfo('apps/v1', 'ControllerRevision'), ['create', 'delete', 'patch']),
    rule(kindInfo('v1', 'Event'), ['create', 'list', 'patch', 'watch']),
    rule(kindInfo('v1', 'Secret'), ownVerbs),
    rule(kindInfo('v1', 'Pod'), ['create', 'list', 'patch', 'watch']),
    { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
    // Restarted for proxies of another version, where the spec says so.
    ...['Deployment', 'StatefulSet', 'DaemonSet'].map((kind) => rule(kindInfo('apps/v1', kind), ['patch'])),
    // Proxies and istiods are asked what they trust where it can be seen: on their loopback. API servers up to 1.34 call
    // the opening of a WebSocket get, newer ones create.
    { apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] },
    // Whose labels choose a revision; and to say that one is missing. Members of tenants get such labels.
    rule(kindInfo('v1', 'Namespace'), ['get', 'list', 'patch', 'watch']),
    // Looked at by name, for the same reason as the next.
    ...unwatchedKinds.map((kind) => rule(kind, ['create', 'delete', 'get', 'patch', 'update'])),
    // Looked at while something is ordered, so nothing watches a kind that may not be there.
    rule(kindInfo('cert-manager.io/v1', 'CertificateRequest'), ['create', 'delete', 'get', 'list']),
    rule(kindInfo('coordination.k8s.io/v1', 'Lease'), ['delete', 'list']),
    // Whether authors of MeshOperators may do what they ask for.
    rule(kindInfo('authorization.k8s.io/v1', 'SubjectAccessReview'), ['create']),
  ];
}

/** Specs by which meshes get, all together, the roles of every component. */
const grantingSpecs: readonly MeshOperatorSpec[] = [
  ...profileNames.map((profile) => ({ profile })),
  ...(['deletePods', 'labelPods'] as const).map((repair) => ({
    components: { cni: {} },
    values: { cni: { repair: { repairPods: false, [repair]: true } } },
  })),
];

/**
 * Every rule that a rendered role grants, but for those that only a variable of istiod asks for: Kubernetes lets nobody grant what they do not hold (RBAC escalation check),
 * and we hold the rules one by one instead of the right to escalate.
 */
function grantedRules(): PolicyRule[] {
  const meshes = istioVersions.flatMap(({ minor }) =>
    grantingSpecs.map(
      (spec): MeshOperator => ({
        apiVersion: 'meshoperator.dev/v1alpha1',
        kind: 'MeshOperator',
        metadata: { name: 'mesh', namespace: 'istio-system' },
        spec: { version: minor, ...spec },
      }),
    ),
  );
  // Roles depend on neither.
  const context = { operatorImage: '', kubernetesMinor: 0 };
  const objects = meshes.flatMap((mesh) =>
    renderMesh(resolveMesh(mesh), context).flatMap((wave) => wave.objects),
  );
  return objects
    .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
    .flatMap((role) => role.rules as PolicyRule[]);
}

/** The rules of the operator's ClusterRole: merged by resource, sorted, each once. */
export function operatorRules(): PolicyRule[] {
  const verbsByResource = new Map<
    string,
    { group: string; resource: string; resourceNames?: readonly string[]; verbs: Set<string> }
  >();
  for (const { apiGroups, resources, resourceNames, verbs } of [...operatorNeeds(), ...grantedRules()]) {
    for (const group of apiGroups) {
      for (const resource of resources) {
        const key = stableJson([group, resource, resourceNames ?? null]);
        const names = resourceNames === undefined ? {} : { resourceNames };
        const entry = verbsByResource.get(key) ?? { group, resource, ...names, verbs: new Set() };
        for (const verb of verbs) entry.verbs.add(verb);
        verbsByResource.set(key, entry);
      }
    }
  }
  return mergeResources(
    [...verbsByResource.values()].map(({ group, resource, resourceNames, verbs }) => ({
      apiGroups: [group],
      resources: [resource],
      ...(resourceNames === undefined ? {} : { resourceNames }),
      verbs: [...verbs].sort(),
    })),
  );
}

/** Rules of one group with the same verbs become one. */
function mergeResources(rules: readonly PolicyRule[]): PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  for (const one of rules) {
    const key = stableJson([one.apiGroups, one.verbs, one.resourceNames ?? null]);
    const held = merged.get(key);
    const resources = [...new Set([...(held?.resources ?? []), ...one.resources])].sort();
    merged.set(key, { ...one, resources });
  }
  return [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function rule(kind: KindInfo, verbs: readonly string[]): PolicyRule {
  const slash = kind.apiVersion.indexOf('/');
  return { apiGroups: [slash < 0 ? '' : kind.apiVersion.slice(0, slash)], resources: [kind.plural], verbs };
}
