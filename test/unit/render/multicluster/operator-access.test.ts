import { expect, test } from 'vitest';
import type { Right } from '../../../../src/api/right.ts';
import { renderOperatorAccess, rightsInRemote } from '../../../../src/render/multicluster/operator-access.ts';

const mesh = { namespace: 'istio-system', clusterId: 'east', revision: '' };

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

test('whom the operator is in another cluster may do what it does there and renew its own token, and nothing else', () => {
  const roles = renderOperatorAccess(mesh).filter(({ kind }) => kind.endsWith('Role'));

  const granted = roles.flatMap(({ metadata: { namespace }, rules }) =>
    (rules as readonly Rule[]).flatMap(({ apiGroups, resources, resourceNames: [name] = [], verbs }) =>
      verbs.map((verb) =>
        textOf({ verb, group: apiGroups[0] ?? '', resource: resources[0] ?? '', namespace, name }),
      ),
    ),
  );

  const ownToken = 'create  serviceaccounts/token istio-system mesh-operator-east';
  expect(granted.sort()).toEqual([...rightsInRemote(mesh).map(textOf), ownToken].sort());
});

test('it writes no role and no binding but those of the reader, which another cluster of the mesh does not share', () => {
  const named = rightsInRemote(mesh).filter(({ group }) => group === 'rbac.authorization.k8s.io');

  expect(new Set(named.map(({ name }) => name))).toEqual(new Set(['istio-reader-east-istio-system']));
});

test('each name in it is of this cluster, so that several clusters get into one without meeting', () => {
  const names = (clusterId: string) =>
    renderOperatorAccess({ ...mesh, clusterId }).map(({ kind, metadata }) => `${kind} ${metadata.name}`);

  expect(names('east').filter((name) => names('north').includes(name))).toEqual([]);
});

function textOf(right: { readonly [Field in keyof Right]: string | undefined }): string {
  const { verb, group, resource, subresource, namespace, name } = right;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  return [verb, group, what, namespace ?? '*', name ?? '*'].join(' ');
}
