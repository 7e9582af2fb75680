import { expect, test } from 'vitest';
import { idOf } from '../../../../src/api/kubernetes-object.ts';
import { type PolicyRule, rightsOfRules } from '../../../../src/api/policy-rule.ts';
import type { Right } from '../../../../src/api/right.ts';
import {
  operatorAccessIds,
  renderOperatorAccess,
  rightsInRemote,
} from '../../../../src/render/multicluster/operator-access.ts';
import { lockRules, readerRules } from '../../../../src/render/multicluster/reader.ts';
import { aResolvedMesh } from '../../../support/resolved-mesh.ts';

const mesh = aResolvedMesh({ clusterId: 'east' });
const lockRights = lockRules(mesh).flatMap((rule) =>
  rightsOfRules([rule]).map((right) => ({
    ...{ ...right, namespace: mesh.namespace },
    ...(rule.resourceNames === undefined ? {} : { name: rule.resourceNames[0] ?? '' }),
  })),
);

test.each([
  ['another cluster', false],
  ['the cluster that istiod has for its own', true],
])(
  'whom the operator is in %s may do what it does there, renew its own token, and what the reader may do, and nothing else',
  (_, isConfigCluster) => {
    const roles = renderOperatorAccess(mesh, isConfigCluster).filter(({ kind }) => kind.endsWith('Role'));

    const granted = roles.flatMap(({ metadata: { namespace }, rules }) =>
      (rules as readonly PolicyRule[]).flatMap((rule) =>
        rightsOfRules([rule]).map((right) => textOf({ ...right, namespace, name: rule.resourceNames?.[0] })),
      ),
    );

    const ownToken = 'create  serviceaccounts/token istio-system mesh-operator-east';
    const wanted = [
      ...rightsInRemote(mesh, isConfigCluster),
      ...rightsOfRules(readerRules(mesh, isConfigCluster)),
      ...(isConfigCluster ? lockRights : []),
    ].map(textOf);
    expect(granted.sort()).toEqual([...wanted, ownToken].sort());
  },
);

test('it has no way to rights that it was not given', () => {
  const rules = renderOperatorAccess(mesh, false).flatMap((object) => (object.rules ?? []) as PolicyRule[]);

  const verbs = new Set(rules.flatMap((rule) => rule.verbs));
  expect([...verbs].sort()).toEqual(['create', 'delete', 'get', 'list', 'patch', 'watch']);
});

test('what goes when it is taken back is all that it was', () => {
  expect(operatorAccessIds(mesh)).toEqual(renderOperatorAccess(mesh, true).map(idOf));
});

test('it writes no role and no binding but those of the reader, which another cluster of the mesh does not share', () => {
  const named = rightsInRemote(mesh, true).filter(({ group }) => group === 'rbac.authorization.k8s.io');

  const places = named.map(({ namespace = '*', name }) => `${namespace} ${name}`);
  expect(new Set(places)).toEqual(
    new Set(['* istio-reader-east-istio-system', 'istio-system istio-reader-east']),
  );
});

test('each name in it is of this cluster, so that several clusters get into one without meeting', () => {
  const names = (clusterId: string) =>
    renderOperatorAccess({ ...mesh, clusterId }, true).map(
      ({ kind, metadata }) => `${kind} ${metadata.name}`,
    );

  expect(names('east').filter((name) => names('north').includes(name))).toEqual([]);
});

function textOf(right: { readonly [Field in keyof Right]: string | undefined }): string {
  const { verb, group, resource, subresource, namespace, name } = right;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  return [verb, group, what, namespace ?? '*', name ?? '*'].join(' ');
}
