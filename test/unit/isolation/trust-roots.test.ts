import { describe, expect, test } from 'vitest';
import type { LayerResult } from '../../../src/isolation/finding.ts';
import type { ObservedCluster } from '../../../src/isolation/observed-cluster.ts';
import { proveTrustRoots } from '../../../src/isolation/trust-roots.ts';
import { anAuthority } from '../../support/authorities.ts';
import { aTenant, linesOf, rootsIn, tenantIn, together } from '../../support/isolation-cluster.ts';

const [red, blue] = [await aTenant('red'), await aTenant('blue')];
const both = together(red.cluster, blue.cluster);

function trust(cluster: ObservedCluster): LayerResult {
  return proveTrustRoots(tenantIn(red, cluster), cluster);
}

function withMeshConfig(tenant: 'red' | 'blue', fields: object): LayerResult {
  const controlPlanes = both.controlPlanes.map((each) =>
    each.namespace === `${tenant}-system` ? { ...each, meshConfig: { ...each.meshConfig, ...fields } } : each,
  );
  return trust({ ...both, controlPlanes });
}

describe('roots', () => {
  test('that another mesh trusts as well are found', () => {
    const shared = rootsIn('shop', 'istio-ca-root-cert', red.authority);

    const { findings } = trust(together(both, { bundles: [shared] }));

    expect(findings).toMatchObject([
      {
        ...{ severity: 'open', object: 'ConfigMap shop/istio-ca-root-cert' },
        why: expect.stringContaining('has the key of one that the tenant trusts'),
      },
    ]);
  });

  test('that another mesh has added to those of the tenant are found', () => {
    const bundles = both.bundles.map((each) =>
      each.namespace === 'red-web' ? { ...each, pem: each.pem + blue.authority.root.certPem } : each,
    );

    const { findings } = trust({ ...both, bundles });

    expect(findings.flatMap(({ from }) => from)).toContain('ConfigMap blue-web/istio-ca-root-cert-blue');
    expect(findings.flatMap(({ to }) => to)).toContain('ConfigMap red-web/istio-ca-root-cert-red');
  });

  test('that were made anew with the same key are the same', async () => {
    const again = await anAuthority({ root: { keys: red.authority.rootKeys, commonName: 'Another name' } });

    const { findings } = trust(together(both, { bundles: [rootsIn('shop', 'istio-ca-root-cert', again)] }));

    expect(linesOf(findings)).toEqual(['open ConfigMap shop/istio-ca-root-cert']);
  });

  test('that have signed what another mesh signs with are found', async () => {
    const { intermediate } = await anAuthority({ root: { keys: red.authority.rootKeys } });
    const authorities = [
      { source: 'Secret shop/cacerts', namespace: 'shop', name: 'cacerts', pem: intermediate.certPem },
    ];

    const { findings } = trust(together(both, { authorities }));

    expect(findings).toMatchObject([
      {
        object: 'Secret shop/cacerts',
        why: expect.stringContaining('is signed by one that the tenant trusts'),
      },
    ]);
  });

  test('that cannot be read, or are not there, are not proven', () => {
    const broken = {
      source: 'ConfigMap shop/istio-ca-root-cert',
      namespace: 'shop',
      name: 'istio-ca-root-cert',
    };
    const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

    expect(trust(together(both, { bundles: [{ ...broken, pem }] }))).toEqual({
      findings: [],
      unproven: ['what is in ConfigMap shop/istio-ca-root-cert cannot be read as certificates'],
    });
    const without = trust({ ...both, bundles: [], authorities: [] });
    expect(without.unproven).toEqual([expect.stringContaining('no roots of the tenant are there yet')]);
    expect(linesOf(without.findings)).toEqual(['note Namespace red-db']);
  });
});

describe('a control plane', () => {
  test.each<[string, 'red' | 'blue', object, string]>([
    [
      'of the tenant with an alias',
      'red',
      { trustDomainAliases: ['red', 'blue'] },
      'red trustDomainAliases[0]',
    ],
    ['of the tenant with another trust domain', 'red', { trustDomain: 'cluster.local' }, 'red trustDomain'],
    ['of another with the trust domain of the tenant', 'blue', { trustDomain: 'red' }, 'blue trustDomain'],
    ['of another with it as an alias', 'blue', { trustDomainAliases: ['red'] }, 'blue trustDomainAliases[0]'],
    [
      'of the tenant with further roots',
      'red',
      { caCertificates: [{ pem: blue.authority.root.certPem }] },
      'red caCertificates[0]',
    ],
    [
      'of the tenant with roots from elsewhere',
      'red',
      { caCertificates: [{ spiffeBundleUrl: 'https://a' }] },
      'red caCertificates[0]',
    ],
  ])('%s is found', (_, tenant, fields, where) => {
    const [name, path] = where.split(' ');

    expect(linesOf(withMeshConfig(tenant, fields).findings)).toEqual([
      `open ConfigMap ${name}-system/istio-${name} ${path}`,
    ]);
  });

  test('that says its own roots once more is none', () => {
    const caCertificates = [{ pem: red.authority.root.certPem }];

    expect(withMeshConfig('red', { caCertificates }).findings).toEqual([]);
  });
});
