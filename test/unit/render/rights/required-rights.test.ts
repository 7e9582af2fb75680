import { describe, expect, test } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { nothingObserved } from '../../../../src/render/observed-mesh.ts';
import { renderMeshOperator } from '../../../../src/render/render-mesh-operator.ts';
import { requiredRights } from '../../../../src/render/rights/required-rights.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { aRenderContext } from '../../../support/render-context.ts';

/** `verb resource namespace` of every right, `-` for the cluster. */
function rightsFor(spec: MeshOperatorSpec): string[] {
  const mesh = aMeshOperator(spec);
  const resolved = resolveMesh(mesh);
  const waves = renderMeshOperator(mesh, resolved, nothingObserved, aRenderContext());
  return requiredRights(mesh, resolved, waves, aRenderContext()).map(
    ({ verb, resource, subresource, namespace = '-' }) =>
      `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`} ${namespace}`,
  );
}

const clusterScope = 'use meshoperators/clusterscope istio-system';
const edgeGateway: MeshOperatorSpec = {
  ...{ profile: 'empty', revision: 'edge' },
  components: { ingressGateways: [{ name: 'gateway', namespace: 'edge', enabled: true }] },
};

describe('the author of a mesh needs', () => {
  test('to make, change and delete what gateways consist of, where they are, and nothing in the cluster', () => {
    const rights = rightsFor(edgeGateway);

    expect(rights).toEqual(
      expect.arrayContaining(
        ['create', 'patch', 'delete'].flatMap((verb) => [
          `${verb} deployments edge`,
          `${verb} services edge`,
          `${verb} serviceaccounts edge`,
          `${verb} rolebindings edge`,
        ]),
      ),
    );
    expect(rights.filter((right) => !right.endsWith(' edge'))).toEqual([]);
  });

  test.each([
    ['of the default revision', { profile: 'empty', components: edgeGateway.components ?? {} }],
    ['with a tag', { ...edgeGateway, revisionTags: ['prod'] }],
  ])(
    'the right to what is the whole cluster’s for a mesh %s, since there is one such name',
    (_name, spec) => {
      expect(rightsFor(spec as MeshOperatorSpec)).toContain(clusterScope);
    },
  );

  test('nothing in the cluster for an istiod that is for another cluster', () => {
    const remote = { clusterName: 'west', role: 'Remote', kubeconfig: { secretName: 'west' } } as const;
    const place = { meshID: 'shop', clusterName: 'east', configCluster: 'west' };
    const rights = rightsFor({ multiCluster: { ...place, remotes: [remote] } });

    expect(rights).not.toContain(clusterScope);
    expect(rights.filter((right) => !right.endsWith(' istio-system'))).toEqual([]);
  });

  test('one right of its own for a control plane, which reaches all namespaces', () => {
    expect(rightsFor({ profile: 'minimal' })).toContain(clusterScope);
    expect(rightsFor({ profile: 'minimal' })).toContain('create secrets istio-system');
  });

  test('the same for control planes of its own that upgrades make, and to make MeshOperators', () => {
    const rights = rightsFor({ upgrade: { strategy: 'RevisionBased' } });

    expect(rights).toEqual(expect.arrayContaining(rightsFor({})));
    expect(rights).toContain('create meshoperators istio-system');
  });

  test('to read the Secret of an authority that it plugs in, and to order from cert-manager', () => {
    expect(
      rightsFor({ certificateAuthority: { provider: 'PluggedIn', pluggedIn: { secretName: 'own' } } }),
    ).toContain('get secrets istio-system');
    expect(
      rightsFor({
        certificateAuthority: { provider: 'CertManager', certManager: { issuerRef: { name: 'own' } } },
      }),
    ).toContain('create certificaterequests istio-system');
  });

  test.each([
    [
      'a role of the cluster',
      'ClusterRole',
      'istiod-clusterrole-istio-system',
      ['create clusterroles -', 'escalate clusterroles -'],
    ],
    [
      'who is bound to one',
      'ClusterRoleBinding',
      'istiod-clusterrole-istio-system',
      ['create clusterrolebindings -', 'bind clusterroles -'],
    ],
    ['a role in the namespace', 'Role', 'istiod', ['escalate roles istio-system']],
    ['who is bound to that', 'RoleBinding', 'istiod', ['bind roles istio-system']],
  ])('the rights to change by hand what overlays change: %s', (_what, kind, name, wanted) => {
    const patches = [{ path: 'metadata.labels.team', value: 'mesh' }];
    const spec = (overlays: object[]) =>
      rightsFor({ profile: 'minimal', components: { pilot: { k8s: { overlays } } } } as MeshOperatorSpec);

    const added = spec([{ kind, name, patches }]).filter((right) => !spec([]).includes(right));

    expect(added).toEqual(expect.arrayContaining(wanted));
  });

  test('nothing more for overlays of what belongs to namespaces and grants nothing', () => {
    const overlays = [
      { kind: 'Deployment', name: 'istiod', patches: [{ path: 'spec.minReadySeconds', value: 5 }] },
    ];

    const rights = rightsFor({ profile: 'minimal', components: { pilot: { k8s: { overlays } } } });

    expect(rights).toEqual(rightsFor({ profile: 'minimal' }));
  });

  test('each right once', () => {
    const rights = rightsFor({});

    expect(new Set(rights).size).toBe(rights.length);
  });
});
