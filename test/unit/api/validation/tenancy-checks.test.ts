import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { problemText } from '../../../../src/api/problem.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { validateMeshOperator } from '../../../../src/api/validate.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

type Tenancy = NonNullable<MeshOperatorSpec['tenancy']>;

function tenant(fields: Partial<Tenancy> = {}, spec: MeshOperatorSpec = {}): MeshOperatorSpec {
  const tenancy = { tenant: 'pay', members: { namespaces: ['pay-api'] }, ...fields };
  return { revision: 'pay', profile: 'minimal', ...spec, tenancy };
}

const { revision: _revision, ...withoutRevision } = tenant();
const named = (value: string): Tenancy['members'] => ({
  selector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [value] }] },
});

const rows: readonly (readonly [name: string, spec: MeshOperatorSpec, problem: RegExp])[] = [
  ['no revision of its own', withoutRevision, /^spec\.revision: is required with spec\.tenancy.*set pay$/],
  [
    'the name of the whole cluster as a tag',
    tenant({}, { revisionTags: ['default'] }),
    /^spec\.revisionTags: must not have default/,
  ],
  [
    'no members at all',
    tenant({ members: {} }),
    /^spec\.tenancy\.members: must have a selector or namespaces/,
  ],
  [
    "a namespace of Kubernetes' own",
    tenant({ members: { namespaces: ['pay-api', 'kube-system'] } }),
    /^spec\.tenancy\.members\.namespaces\[1\]: must not select kube-system/,
  ],
  [
    "a selector that names a namespace of Kubernetes' own",
    tenant({ members: named('kube-public') }),
    /^spec\.tenancy\.members\.selector: must not select kube-public/,
  ],
  [
    'its own namespace as a member',
    tenant({ members: { namespaces: ['istio-system'] } }),
    /^spec\.tenancy\.members\.namespaces\[0\]: must not select istio-system/,
  ],
  [
    'a selector that speaks of the label that every member has',
    tenant({ members: { selector: { matchLabels: { 'meshoperator.dev/tenant': 'other' } } } }),
    /^spec\.tenancy\.members\.selector: must not speak of meshoperator\.dev\/tenant/,
  ],
  [
    'discovery of its own',
    tenant({}, { meshConfig: { discoverySelectors: [{}] } }),
    /^spec\.meshConfig\.discoverySelectors: must not be given/,
  ],
  [
    'a way out that isolation closes',
    tenant({}, { meshConfig: { outboundTrafficPolicy: { mode: 'ALLOW_ANY' } } }),
    /^spec\.meshConfig\.outboundTrafficPolicy: .*set isolation: Open/,
  ],
  [
    'an agent for all nodes',
    tenant({}, { components: { cni: { enabled: true } } }),
    /^spec\.components\.cni: must not be enabled with spec\.tenancy/,
  ],
  ['a control plane elsewhere', tenant({}, { profile: 'remote' }), /^spec\.profile: must not be remote/],
  [
    'control planes for each version',
    tenant({}, { upgrade: { strategy: 'RevisionBased' } }),
    /^spec\.upgrade\.strategy: must be InPlace/,
  ],
  [
    'a quota of something that is no resource',
    tenant({ quota: { 'requests cpu': '1' } }),
    /^spec\.tenancy\.quota\["requests cpu"\]: must be the name of a resource/,
  ],
  [
    'a negative limit',
    tenant({ limits: [{ type: 'Pod', max: { cpu: '-1' } }] }),
    /^spec\.tenancy\.limits\[0\]\.max\.cpu: must be a quantity/,
  ],
  [
    'a limit on something that nobody limits',
    tenant({ limits: [{ type: 'Node' as 'Pod' }] }),
    /^spec\.tenancy\.limits\[0\]\.type: /,
  ],
];

describe('a tenant', () => {
  it.each(rows)('may not have %s', (_name, spec, problem) => {
    expect(validateMeshOperator(aMeshOperator(spec)).map(problemText)).toContainEqual(
      expect.stringMatching(problem),
    );
  });

  it('may say that a node agent is not enabled, and let proxies pass on what they do not know', () => {
    const spec = tenant(
      { isolation: 'Open' },
      {
        components: { cni: { enabled: false } },
        meshConfig: { outboundTrafficPolicy: { mode: 'ALLOW_ANY' }, trustDomain: 'pay.example.com' },
      },
    );

    expect(validateMeshOperator(aMeshOperator(spec))).toEqual([]);
    expect(resolveMesh(aMeshOperator(spec)).meshConfig).toMatchObject(spec.meshConfig ?? {});
  });

  it('has a trust domain, a trust bundle and discovery of its own', () => {
    const { meshConfig, injection } = resolveMesh(aMeshOperator(tenant()));

    expect(meshConfig).toMatchObject({
      trustDomain: 'pay',
      outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
      discoverySelectors: [
        { matchLabels: { 'kubernetes.io/metadata.name': 'istio-system' } },
        {
          matchLabels: {
            'meshoperator.dev/tenant': 'pay',
            'meshoperator.dev/member': 'pay',
            'istio.io/rev': 'pay',
          },
        },
      ],
    });
    expect(injection.trustBundleName).toBe('istio-ca-root-cert-pay');
  });

  it('has roots of an external authority under the name under which they are brought', () => {
    const external = { provider: 'External', external: { address: 'ca.example.com:443' } } as const;

    const mesh = resolveMesh(aMeshOperator(tenant({}, { certificateAuthority: external })));

    expect(mesh.injection.trustBundleName).toBe('');
  });
});
