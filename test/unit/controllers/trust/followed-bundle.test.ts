import { expect, test } from 'vitest';
import { primaryConfigMap, primaryConfigMapId } from '../../../../src/api/primary-statement.ts';
import { followedBundle } from '../../../../src/controllers/trust/followed-bundle.ts';
import { readTrustedRoots } from '../../../../src/pki/trusted-roots.ts';
import { anAuthority, firstDay } from '../../../support/authority-states.ts';

const [old, next] = [anAuthority(), anAuthority()].map(({ roots }) => roots.current.certPem) as [
  string,
  string,
];
const statement = {
  ...{ clusterName: 'east', meshID: 'shop', addresses: ['192.0.2.7'] },
  ...{ version: 'v2', signerPem: '' },
};
const told = primaryConfigMap(primaryConfigMapId('istio-system', ''), statement, `${next}${old}`);

function bundleWith(broughtPem: string, isComplete = true) {
  const { roots = [] } = readTrustedRoots('roots', broughtPem, firstDay);
  const bundle = { configMap: 'istio-system/mesh-operator-primary', keeper: 'The cluster', roots };
  return followedBundle(told, { bundle, isComplete });
}

test('a bundle is asked for once every namespace has its roots', () => {
  expect(bundleWith(`${next}${old}`)).toEqual({
    ...{ clusterName: 'east', meshID: 'shop', version: 'v2', signerPem: '' },
    rootsPem: `${next}${old}`,
  });
});

test.each([
  {
    what: 'while namespaces have other roots, as another cache may still know',
    brought: old,
    isComplete: true,
  },
  { what: 'while a namespace lacks them', brought: `${next}${old}`, isComplete: false },
])('no bundle is asked for $what', ({ brought, isComplete }) => {
  expect(bundleWith(brought, isComplete)).toBeUndefined();
});

test('no bundle is asked for by what is no statement', () => {
  const { roots = [] } = readTrustedRoots('roots', old, firstDay);
  const bundle = { configMap: 'a/b', keeper: 'The cluster', roots };
  const broken = { ...told, data: { 'root-cert.pem': old } };

  expect(followedBundle(broken, { bundle, isComplete: true })).toBeUndefined();
});
