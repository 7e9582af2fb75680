import { describe, expect, test } from 'vitest';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { problemText } from '../../../src/api/problem.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import { validateMeshOperator } from '../../../src/api/validate.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

function resolved(spec: MeshOperatorSpec) {
  return resolveMesh(aMeshOperator(spec)).networkPolicy;
}

describe('spec.networkPolicy', () => {
  test('asks for policies as soon as it is given, and not when it is turned off', () => {
    expect(resolved({ networkPolicy: {} })).toBeDefined();
    expect(resolved({ networkPolicy: { enabled: false } })).toBeUndefined();
    expect(resolved({})).toBeUndefined();
  });

  test('knows where DNS usually is, and where OpenShift has it', () => {
    expect(resolved({ networkPolicy: {} })?.dns).toEqual({
      namespace: 'kube-system',
      podLabels: { 'k8s-app': 'kube-dns' },
      cidrs: [],
      ports: [53],
    });
    expect(resolved({ networkPolicy: {}, values: { global: { platform: 'openshift' } } })?.dns).toMatchObject(
      { namespace: 'openshift-dns', ports: [5353] },
    );
  });

  test.each([
    [
      'apiServer',
      { apiServer: { cidrs: ['10.0.0.0/8', '10.0.0.0/33'] } },
      'spec.networkPolicy.apiServer.cidrs[1]',
    ],
    ['dns', { dns: { cidrs: ['999.1.1.1/8'] } }, 'spec.networkPolicy.dns.cidrs[0]'],
    ['meshCIDRs', { meshCIDRs: ['1::2::3/64'] }, 'spec.networkPolicy.meshCIDRs[0]'],
    ['jwks', { jwks: { cidrs: ['fd00::/129'] } }, 'spec.networkPolicy.jwks.cidrs[0]'],
    ['an address alone', { meshCIDRs: ['10.0.0.1'] }, 'spec.networkPolicy.meshCIDRs[0]'],
    ['a port', { apiServer: { ports: [70_000] } }, 'spec.networkPolicy.apiServer.ports[0]'],
    ['no ports', { dns: { ports: [] } }, 'spec.networkPolicy.dns.ports'],
    [
      'a namespace',
      { monitoring: { namespaces: ['Monitoring'] } },
      'spec.networkPolicy.monitoring.namespaces[0]',
    ],
  ])('refuses what no policy can say, by its path: %s', (_, networkPolicy, path) => {
    const problems = validateMeshOperator(aMeshOperator({ networkPolicy }));

    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems.map(problemText).join()).toContain('must');
  });
});
