import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import {
  findNeighbourProblems,
  memberWarnings,
  type Neighbours,
} from '../../../src/api/neighbour-problems.ts';
import { problemText } from '../../../src/api/problem.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

type Labels = Readonly<Record<string, string>>;

const withoutTenants = {
  matchExpressions: [{ key: 'meshoperator.dev/tenant', operator: 'DoesNotExist' as const }],
};

/** A mesh for the cluster that leaves tenants alone. */
function plain(spec: MeshOperatorSpec = {}, namespace = 'istio-system'): KubernetesObject {
  const meshConfig = { discoverySelectors: [withoutTenants] };
  return aMesh({ profile: 'minimal', meshConfig, ...spec }, namespace);
}

function tenant(name: string, spec: MeshOperatorSpec = {}, members = ['pay-api']): KubernetesObject {
  const tenancy = { tenant: name, members: { namespaces: members } };
  return aMesh({ profile: 'minimal', revision: name, tenancy, ...spec }, `${name}-system`);
}

function aMesh(spec: MeshOperatorSpec, namespace: string): KubernetesObject {
  return aMeshOperator(spec, { namespace }) as unknown as KubernetesObject;
}

const namespaces: Readonly<Record<string, Labels>> = {
  'istio-system': {},
  'pay-system': { 'meshoperator.dev/tenant': 'pay' },
  'ship-system': { 'meshoperator.dev/tenant': 'ship' },
  'pay-api': { 'meshoperator.dev/tenant': 'pay' },
  'ship-api': { 'meshoperator.dev/tenant': 'ship' },
};

function aQuota(hard: Record<string, string>, fields: object = {}): KubernetesObject {
  return {
    ...{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small', namespace: 'pay-system' } },
    spec: { hard, ...fields },
  };
}

function problemsOf(
  mesh: KubernetesObject,
  others: readonly KubernetesObject[],
  fields: Partial<Neighbours> = {},
): string[] {
  const resolve = (object: KubernetesObject) => resolveMesh(object as never);
  const neighbours: Neighbours = {
    meshes: others,
    resolve,
    labelsOf: (name) => namespaces[name],
    quotas: [],
    operatorNamespace: 'mesh-operator',
    ...fields,
  };
  return findNeighbourProblems(mesh, resolve(mesh), neighbours).map(problemText);
}

const bundle = (trustBundleName: string): MeshOperatorSpec => ({ values: { global: { trustBundleName } } });
const discovery = (...discoverySelectors: object[]): MeshOperatorSpec => ({
  meshConfig: { discoverySelectors },
});
const requests = (cpu: string): MeshOperatorSpec => ({
  components: { pilot: { k8s: { resources: { requests: { cpu } }, replicaCount: 3 } } },
});

/** In a mesh with these other clusters. */
const several = (...names: readonly string[]): MeshOperatorSpec => ({
  multiCluster: {
    ...{ meshID: 'shop', clusterName: 'east' },
    remotes: names.map((clusterName) => ({ clusterName, kubeconfig: { secretName: clusterName } })),
  },
});

/** Upgraded from revision to revision, with a filter of its access logs. */
const filtering: MeshOperatorSpec = {
  revision: 'b',
  upgrade: { strategy: 'RevisionBased' },
  telemetry: { namespaces: [{ namespace: 'shop', accessLogs: [{ provider: 'envoy', filter: 'true' }] }] },
};

const second = { name: 'second', namespace: 'istio-system' };

type Row = readonly [
  what: string,
  mesh: KubernetesObject,
  other: KubernetesObject,
  problem: RegExp,
  fields?: Partial<Neighbours>,
];

const rows: readonly Row[] = [
  [
    'a policy that denies its filter',
    plain(filtering, 'b'),
    plain({ profile: 'stable' }),
    /^spec\.telemetry\.namespaces\[0\]\.accessLogs\[0\]\.filter: is not stable in Istio, and the policy of MeshOperator istio-system\/mesh denies it/,
  ],
  [
    'a filter that its policy would deny',
    plain({ profile: 'stable' }),
    plain(filtering, 'b'),
    /^spec\.values\.experimental\.stableValidationPolicy: would deny spec\.telemetry\.namespaces\[0\]\.accessLogs\[0\]\.filter of MeshOperator b\/mesh, /,
  ],
  [
    'a revision',
    plain({ revision: 'a' }, 'b'),
    plain({ revision: 'a' }),
    /^spec\.revision: revision a belongs to MeshOperator istio-system\/mesh;/,
  ],
  [
    'the default revision',
    plain({}, 'b'),
    plain(),
    /^spec\.revision: revision default belongs to MeshOperator istio-system\/mesh;/,
  ],
  [
    'a tag',
    plain({ revision: 'a', revisionTags: ['x', 'prod'] }),
    plain({ revision: 'b', revisionTags: ['prod'] }, 'b'),
    /^spec\.revisionTags\[1\]: tag prod belongs to MeshOperator b\/mesh;/,
  ],
  [
    'a tag that is the revision of another',
    plain({ revision: 'a', revisionTags: ['b'] }),
    plain({ revision: 'b' }, 'b'),
    /^spec\.revisionTags\[0\]: tag b belongs to MeshOperator b\/mesh;/,
  ],
  [
    'a revision that is the tag of another',
    plain({ revision: 'b' }),
    plain({ revision: 'a', revisionTags: ['b'] }, 'b'),
    /^spec\.revision: revision b belongs to MeshOperator b\/mesh;/,
  ],
  [
    'a tenant',
    tenant('pay', { revision: 'other' }),
    aMesh({ ...(tenant('pay').spec as MeshOperatorSpec) }, 'old'),
    /^spec\.tenancy\.tenant: tenant pay belongs to MeshOperator old\/mesh;/,
  ],
  [
    'a trust bundle',
    plain({ revision: 'a', ...bundle('roots') }),
    plain({ revision: 'b', ...bundle('roots') }, 'b'),
    /^spec\.values\.global\.trustBundleName: trust bundle roots belongs to MeshOperator b\/mesh;/,
  ],
  [
    'the trust bundle of a tenant',
    plain(bundle('istio-ca-root-cert-pay')),
    tenant('pay'),
    /^spec\.values\.global\.trustBundleName: trust bundle istio-ca-root-cert-pay belongs to MeshOperator pay-system\/mesh;/,
  ],
  [
    'names of ClusterRoles',
    plain({ revision: 'a' }, 'b-c'),
    plain({ revision: 'a-b' }, 'c'),
    /^spec\.revision: name of ClusterRoles a-b-c belongs to MeshOperator c\/mesh; give this mesh another revision/,
  ],
  [
    'a remote, beside a mesh of the same namespace',
    { ...plain({ revision: 'a', ...several('north', 'west') }), metadata: second },
    plain({ revision: 'b', ...several('west') }),
    /^spec\.multiCluster\.remotes\[1\]\.clusterName: cluster west is a remote of MeshOperator istio-system\/mesh already, .*name it in one of the two$/,
  ],
  [
    'namespaces, beside a mesh that discovers all',
    tenant('pay'),
    plain({ meshConfig: {} }),
    /^spec\.tenancy\.tenant: pay would share its namespaces with MeshOperator istio-system\/mesh, .*spec\.meshConfig\.discoverySelectors/,
  ],
  [
    'namespaces, as a mesh that discovers all',
    plain({ meshConfig: {} }),
    tenant('pay'),
    /^spec\.meshConfig\.discoverySelectors: can match namespaces of tenant pay \(MeshOperator pay-system\/mesh, spec\.tenancy\)/,
  ],
  [
    'namespaces by another label',
    plain(discovery({ matchLabels: { mesh: 'yes' } })),
    tenant('pay'),
    /^spec\.meshConfig\.discoverySelectors: can match namespaces of tenant pay/,
  ],
  [
    'namespaces by the label of the tenant',
    plain(discovery({ matchLabels: { 'meshoperator.dev/tenant': 'pay' } })),
    tenant('pay'),
    /^spec\.meshConfig\.discoverySelectors: can match/,
  ],
  [
    'namespaces by one of several selectors',
    plain(discovery(withoutTenants, {})),
    tenant('pay'),
    /^spec\.meshConfig\.discoverySelectors: can match/,
  ],
  [
    "another's namespace for its control plane",
    plain({ revision: 'a' }, 'pay-api'),
    tenant('pay'),
    /^metadata\.namespace: pay-api belongs to tenant pay/,
  ],
  [
    'a tenant without the word of the platform',
    tenant('ship'),
    plain(),
    /^spec\.tenancy\.tenant: namespace ship-system is not the control plane of tenant ship: have it labelled/,
    { labelsOf: () => ({}) },
  ],
  [
    "another's namespace for a gateway",
    plain({ components: { ingressGateways: [{ name: 'in', namespace: 'pay-api' }] } }),
    tenant('pay'),
    /^spec\.components\.ingressGateways\[0\]\.namespace: pay-api belongs to tenant pay/,
  ],
  [
    "another's member by name",
    tenant('pay', {}, ['pay-api', 'ship-api']),
    tenant('ship'),
    /^spec\.tenancy\.members\.namespaces\[1\]: namespace ship-api belongs to tenant ship/,
  ],
  [
    'the namespace of the operator as a member',
    tenant('pay', {}, ['mesh-operator']),
    plain(),
    /^spec\.tenancy\.members\.namespaces\[0\]: must not select mesh-operator, where the operator is/,
  ],
  [
    'less CPU than istiod asks for',
    tenant('pay', requests('500m')),
    plain(),
    /^spec\.components\.pilot\.k8s\.resources: asks for requests\.cpu 500m for each of 3 replicas, but ResourceQuota pay-system\/small allows requests\.cpu 1 in all/,
    { quotas: [aQuota({ 'requests.cpu': '1' })] },
  ],
  [
    'fewer pods than istiod has',
    tenant('pay', requests('500m')),
    plain(),
    /asks for 3 pods, but ResourceQuota pay-system\/small allows pods 2 in all/,
    { quotas: [aQuota({ pods: '2' })] },
  ],
  [
    'a quota of limits, of which istiod has none',
    tenant('pay'),
    plain(),
    /^spec\.components\.pilot\.k8s\.resources: must have limits\.memory: ResourceQuota pay-system\/small/,
    { quotas: [aQuota({ 'limits.memory': '8Gi' })] },
  ],
];

describe('a mesh beside others', () => {
  const cases = rows.map(([what, mesh, other, problem, fields]) => ({ what, mesh, other, problem, fields }));

  test.each(cases)('may not have $what', ({ mesh, other, problem, fields }) => {
    expect(problemsOf(mesh, [other], fields)).toContainEqual(expect.stringMatching(problem));
  });

  test.each<[string, KubernetesObject, KubernetesObject, Partial<Neighbours>?]>([
    ['two tenants', tenant('pay'), tenant('ship', {}, ['ship-api'])],
    ['a tenant and a mesh that leaves tenants out', tenant('pay'), plain()],
    ['a mesh that leaves tenants out, and a tenant', plain(), tenant('pay')],
    [
      'of one namespace with other remotes',
      { ...plain({ revision: 'a', ...several('north') }), metadata: second },
      plain({ revision: 'b', ...several('west') }),
    ],
    [
      'of another namespace with the same remote',
      plain({ revision: 'a', ...several('west') }, 'b'),
      plain({ revision: 'b', ...several('west') }),
    ],
    [
      'gateways alone, which discover nothing',
      aMesh({ profile: 'empty', revision: 'g' }, 'edge'),
      tenant('pay'),
    ],
    [
      'a quota that has room, and one of another class of pods',
      tenant('pay'),
      plain(),
      {
        quotas: [
          aQuota({ cpu: '1', memory: '4Gi', pods: '5' }),
          aQuota({ pods: '0' }, { scopes: ['BestEffort'] }),
        ],
      },
    ],
  ])('may be %s', (_what, mesh, other, fields) => {
    expect(problemsOf(mesh, [other], fields)).toEqual([]);
  });

  test('is warned of members that are named and are none yet', () => {
    const mesh = resolveMesh(tenant('pay', {}, ['pay-api', 'new', 'istio-system']) as never);

    expect(memberWarnings(mesh, (name) => namespaces[name])).toEqual([
      expect.stringMatching(/^spec\.tenancy\.members\.namespaces\[1\]: namespace new does not exist/),
      expect.stringMatching(
        /^spec\.tenancy\.members\.namespaces\[2\]: namespace istio-system will be a member when/,
      ),
    ]);
  });
});
