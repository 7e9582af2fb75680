import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { isolationLayers } from '../../../src/isolation/finding.ts';
import { aNamespace, aPod, aTenant, linesOf, prove, together } from '../../support/isolation-cluster.ts';

const [red, blue] = [await aTenant('red'), await aTenant('blue')];
const outsider = {
  namespaces: [aNamespace('outsider'), aNamespace('kube-system')],
  pods: [aPod('outsider', 'app', {}), aPod('kube-system', 'coredns', { 'k8s-app': 'kube-dns' })],
};
const cluster = together(red.cluster, blue.cluster, outsider);

test('two tenants as the operator makes them are isolated', () => {
  for (const tenant of [red, blue]) {
    const report = prove(tenant, cluster);

    expect(report.layers.flatMap(({ findings }) => linesOf(findings))).toEqual([]);
    expect(report.layers.map(({ layer, verdict }) => `${layer} ${verdict}`)).toEqual([
      'NetworkPolicy Isolated',
      'AuthorizationPolicy Isolated',
      'RBAC Isolated',
      'TrustRoots Isolated',
      'Discovery Isolated',
    ]);
    expect(report.verdict).toBe('Isolated');
  }
});

test('what cannot be read is not proven, and never isolated', () => {
  const unread = { roles: 'Cannot list roles: forbidden' };

  const report = prove(red, together(red.cluster, { unread }));

  expect(report.verdict).toBe('NotProven');
  const rbac = report.layers.find(({ layer }) => layer === 'RBAC');
  expect(rbac).toMatchObject({ verdict: 'NotProven', unproven: [unread.roles], findings: [] });
});

test('the guide says what is asked of each layer', async () => {
  const guide = await readFile('docs/guides/tenancy.md', 'utf8');

  const named = [...guide.matchAll(/^\| `([A-Za-z]+)` \| .{40}/gm)].map(([, name]) => name);

  expect(named).toEqual(expect.arrayContaining([...isolationLayers]));
});
