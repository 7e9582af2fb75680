import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { problemText } from '../../../../src/api/problem.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import type { TenantEgress } from '../../../../src/api/spec/tenancy.ts';
import { validateMeshOperator } from '../../../../src/api/validate.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

type Tenancy = NonNullable<MeshOperatorSpec['tenancy']>;

function tenant(fields: Partial<Tenancy> = {}, spec: MeshOperatorSpec = {}): MeshOperatorSpec {
  const tenancy = { tenant: 'pay', members: { namespaces: ['pay-api'] }, ...fields };
  return { revision: 'pay', profile: 'minimal', ...spec, tenancy };
}

const tls = { port: 443, protocol: 'TLS' } as const;

function aHost(fields: Partial<TenantEgress> = {}): TenantEgress {
  return { host: 'api.example.com', ports: [tls], ...fields };
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
    'allowed hosts where everything is allowed',
    tenant({ isolation: 'Open', egress: [aHost()] }),
    /^spec\.tenancy\.egress: has no effect with isolation Open/,
  ],
  [
    'one host twice',
    tenant({ egress: [aHost(), aHost()] }),
    /^spec\.tenancy\.egress\[1\]: is a second api\.example\.com beside spec\.tenancy\.egress\[0\]/,
  ],
  [
    'one port of a host twice',
    tenant({ egress: [aHost({ ports: [tls, { port: 443, protocol: 'HTTP' }] })] }),
    /^spec\.tenancy\.egress\[0\]\.ports\[1\]: is a second 443/,
  ],
  [
    'a host without a port',
    tenant({ egress: [aHost({ ports: [] })] }),
    /^spec\.tenancy\.egress\[0\]\.ports: must have a port/,
  ],
  [
    'a host that is none',
    tenant({ egress: [aHost({ host: 'https://api.example.com' })] }),
    /^spec\.tenancy\.egress\[0\]\.host: must be a DNS name/,
  ],
  [
    'a protocol that proxies do not know',
    tenant({ egress: [aHost({ ports: [{ port: 53, protocol: 'UDP' as 'TCP' }] })] }),
    /^spec\.tenancy\.egress\[0\]\.ports\[0\]\.protocol: must be one of HTTP, HTTP2, GRPC, TLS, TCP/,
  ],
  [
    'a range that is none',
    tenant({ egress: [aHost({ cidrs: ['10.0.0.0/99'] })] }),
    /^spec\.tenancy\.egress\[0\]\.cidrs\[0\]: must be a range of IP addresses/,
  ],
  [
    'a host by address whose address nobody knows',
    tenant({ egress: [aHost({ ports: [{ port: 5432, protocol: 'TCP' }] })] }),
    /^spec\.tenancy\.egress\[0\]\.cidrs: is required with protocol TCP/,
  ],
  [
    'a host both by its name and by its address',
    tenant({ egress: [aHost({ ports: [tls, { port: 5432, protocol: 'TCP' }], cidrs: ['10.0.0.0/8'] })] }),
    /^spec\.tenancy\.egress\[0\]\.ports: must not mix TCP/,
  ],
  [
    'a host directly that is called through a gateway',
    tenant(
      { egress: [aHost()] },
      {
        security: { egress: { gateway: 'out', hosts: [{ host: 'api.example.com' }] } },
        components: { egressGateways: [{ name: 'out' }] },
      },
    ),
    /^spec\.tenancy\.egress\[0\]\.host: is a host of spec\.security\.egress/,
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
