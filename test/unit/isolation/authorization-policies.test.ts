import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { proveAuthorizationPolicies } from '../../../src/isolation/authorization-policies.ts';
import type { IsolationFinding } from '../../../src/isolation/finding.ts';
import { aTenant, linesOf, tenantIn, together } from '../../support/isolation-cluster.ts';

const red = await aTenant('red');
const loose = await aTenant('red', { security: {} });

function aPolicy(
  rules: object[],
  fields: { name?: string; namespace?: string; spec?: object } = {},
): KubernetesObject {
  const { name = 'hole', namespace = 'red-web', spec = {} } = fields;
  return {
    ...{ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata: { name, namespace } },
    spec: { ...spec, rules },
  };
}

function found(...istioObjects: KubernetesObject[]): readonly IsolationFinding[] {
  const cluster = together(red.cluster, { istioObjects });
  return proveAuthorizationPolicies(tenantIn(red, cluster), cluster).findings;
}

const from = (...sources: object[]) => ({ from: sources.map((source) => ({ source })) });

describe('a rule that allows', () => {
  test.each<[string, object, string]>([
    ['an identity of another tenant', from({ principals: ['blue/ns/blue-web/sa/app'] }), 'trust domain blue'],
    ['everybody with an identity', from({ principals: ['*'] }), 'every trust domain'],
    ['a name in every trust domain', from({ principals: ['*/ns/red-web/sa/app'] }), 'every trust domain'],
    ['trust domains that begin alike', from({ principals: ['red*'] }), 'every trust domain that begins so'],
    ['a namespace of others', from({ namespaces: ['red-web', 'blue-web'] }), 'namespace blue-web'],
    [
      'a namespace of others, in the trust domain',
      from({ principals: ['red/ns/gone/sa/app'] }),
      'namespace gone',
    ],
    ['a ServiceAccount of others', from({ serviceAccounts: ['blue-web/app'] }), 'namespace blue-web'],
    ['by a condition', { when: [{ key: 'source.namespace', values: ['blue-web'] }] }, 'namespace blue-web'],
  ])('%s is found', (_, rule, who) => {
    expect(found(aPolicy([from({ namespaces: ['red-web'] }), rule]))).toMatchObject([
      {
        ...{ severity: 'open', object: 'AuthorizationPolicy red-web/hole' },
        path: expect.stringMatching(/^spec\.rules\[1\]/),
        from: [expect.stringContaining(who)],
      },
    ]);
  });

  test('anybody is found, and is a note where a token or an address is asked for', () => {
    expect(found(aPolicy([{ to: [{ operation: { ports: ['80'] } }] }]))).toMatchObject([
      { severity: 'open', path: 'spec.rules[0]', from: ['anybody, also without an identity'] },
    ]);
    expect(found(aPolicy([from({ requestPrincipals: ['*'] })]))).toMatchObject([{ severity: 'note' }]);
  });

  test.each<[string, object]>([
    ['identities of the tenant', from({ principals: ['red/*', 'cluster.local/ns/red-db/sa/app'] })],
    ['namespaces of the tenant', from({ namespaces: ['red-web', 'red-system'] })],
    ['nobody of both kinds', from({ principals: ['*'], namespaces: ['red-web'] })],
    ['everybody by a condition of the tenant', { when: [{ key: 'source.principal', values: ['red/*'] }] }],
  ])('%s is none', (_, rule) => {
    expect(found(aPolicy([rule]))).toEqual([]);
  });

  test('everybody at a gateway is none, since gateways are for that', () => {
    const gateway = { selector: { matchLabels: { istio: 'gateway' } } };

    expect(found(aPolicy([{}], { namespace: 'red-system', spec: gateway }))).toEqual([]);
  });
});

describe('a DENY policy closes what another one allows', () => {
  const hole = aPolicy([from({ principals: ['*'] })]);
  const denial = (rule: object, namespace = 'red-web', spec = {}) =>
    aPolicy([rule], { name: 'closed', namespace, spec: { ...spec, action: 'DENY' } });

  test.each<[string, KubernetesObject]>([
    ['to all who are not of the tenant', denial(from({ notPrincipals: ['red/*'] }))],
    ['in the whole mesh', denial(from({ notPrincipals: ['red/*'] }), 'red-system')],
    ['to the same identities', denial(from({ principals: ['*'] }))],
    ['to everybody', denial({})],
  ])('%s', (_, closed) => {
    expect(found(hole, closed)).toEqual([]);
  });

  test.each<[string, KubernetesObject]>([
    ['of another namespace', denial(from({ notPrincipals: ['red/*'] }), 'red-db')],
    [
      'of other workloads',
      denial(from({ notPrincipals: ['red/*'] }), 'red-web', { selector: { matchLabels: { app: 'x' } } }),
    ],
    [
      'of some paths',
      denial({ ...from({ notPrincipals: ['red/*'] }), to: [{ operation: { paths: ['/admin'] } }] }),
    ],
    ['that lets others through as well', denial(from({ notPrincipals: ['red/*', 'blue/*'] }))],
  ])('and not one %s', (_, open) => {
    expect(found(hole, open)).toHaveLength(1);
  });
});

describe('plaintext', () => {
  test('is a note where the mesh takes it, and where a workload or a port does', () => {
    const peer = {
      ...{ apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication' },
      metadata: { name: 'old', namespace: 'red-db' },
      spec: {
        selector: { matchLabels: { app: 'db' } },
        mtls: { mode: 'DISABLE' },
        portLevelMtls: { 9187: { mode: 'PERMISSIVE' } },
      },
    };

    const { findings } = proveAuthorizationPolicies(tenantIn(loose, loose.cluster), loose.cluster);

    expect(linesOf(findings)).toEqual(['note Namespace red-system']);
    expect(linesOf(found(peer))).toEqual([
      'note PeerAuthentication red-db/old spec.mtls.mode',
      'note PeerAuthentication red-db/old spec.portLevelMtls.9187',
    ]);
  });
});
