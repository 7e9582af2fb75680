import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { decideInjection } from '../../../../src/injection/decide-injection.ts';
import { matchesSelector } from '../../../../src/injection/label-selector.ts';
import { selectionEntries } from '../../../../src/render/injector/webhooks.ts';
import { renderMesh } from '../../../../src/render/render-mesh.ts';
import { requiredRights } from '../../../../src/render/rights/required-rights.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { aRenderContext } from '../../../support/render-context.ts';
import { findObject } from '../../../support/rendered-objects.ts';

const spec: MeshOperatorSpec = {
  ...{ revision: 'red', profile: 'minimal' },
  tenancy: {
    tenant: 'pay',
    members: { selector: {} },
    quota: { 'requests.cpu': 8 },
    limits: [{ type: 'Container', default: { cpu: '1' } }],
  },
};
const object = aMeshOperator(spec, { namespace: 'pay-system' });
const mesh = resolveMesh(object);
const context = aRenderContext();
const waves = renderMesh(mesh, context, ['pay-api', 'pay-db']);
const objects = waves.flatMap((wave) => wave.objects);

interface Rule {
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

function rulesOf(role: KubernetesObject): readonly Rule[] {
  return role.rules as readonly Rule[];
}

const reading = ['get', 'list', 'watch'];

describe('the istiod of a tenant', () => {
  test('may write nothing in the whole cluster but its own webhook, and ask who somebody is', () => {
    const role = findObject(objects, 'ClusterRole', 'istiod-clusterrole-red-pay-system');
    const writes = rulesOf(role)
      .filter(({ verbs }) => verbs.some((verb) => !reading.includes(verb)))
      .map(({ resources, resourceNames = [], verbs }) => `${verbs} ${resources} ${resourceNames}`);

    expect(writes).toEqual([
      'create tokenreviews ',
      'create subjectaccessreviews ',
      'update validatingwebhookconfigurations istio-validator-red-pay-system',
    ]);
  });

  test('may write in its own namespace and in members, each by a binding there', () => {
    const bound = objects
      .filter(
        ({ kind, roleRef }) => kind === 'RoleBinding' && (roleRef as { kind: string }).kind === 'ClusterRole',
      )
      .map(({ metadata, roleRef, subjects }) => [
        metadata.namespace,
        (roleRef as { name: string }).name,
        subjects,
      ]);

    const subjects = [{ kind: 'ServiceAccount', name: 'istiod-red', namespace: 'pay-system' }];
    expect(bound).toEqual(
      ['pay-system', 'pay-api', 'pay-db'].map((at) => [at, 'istiod-member-red-pay-system', subjects]),
    );
    const role = findObject(objects, 'ClusterRole', 'istiod-member-red-pay-system');
    expect(rulesOf(role).filter(({ resources }) => resources.includes('secrets'))).toEqual([]);
    expect(rulesOf(role).flatMap(({ resourceNames = [] }) => resourceNames)).toContain(
      'istio-ca-root-cert-pay',
    );
  });

  test('may deploy gateways nowhere else, where it may at all', () => {
    const env = { PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER: 'true' };
    const deploying = resolveMesh({ ...object, spec: { ...spec, values: { pilot: { env } } } });

    const bindings = renderMesh(deploying, context, ['pay-api'])
      .flatMap((wave) => wave.objects)
      .filter(({ metadata }) => metadata.name === 'istiod-gateway-controller-red-pay-system');

    expect(bindings.map(({ kind, metadata }) => [kind, metadata.namespace])).toEqual([
      ['ClusterRole', undefined],
      ['RoleBinding', 'pay-system'],
      ['RoleBinding', 'pay-api'],
    ]);
  });

  test('has no account that reads the whole cluster for others, and no webhook for objects of all', () => {
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);

    expect(names.filter((name) => /istio-reader|istiod-default-validator/.test(name))).toEqual([]);
    expect(names).toContain('ValidatingWebhookConfiguration istio-validator-red-pay-system');
  });
});

describe('a member', () => {
  test('gets the quota and limits of the tenant', () => {
    const inMember = objects.filter(({ metadata }) => metadata.namespace === 'pay-db');

    expect(findObject(inMember, 'ResourceQuota', 'tenant-pay').spec).toEqual({
      hard: { 'requests.cpu': '8' },
    });
    expect(findObject(inMember, 'LimitRange', 'tenant-pay').spec).toEqual({
      limits: [{ type: 'Container', default: { cpu: '1' } }],
    });
  });

  test('asks nothing of the author of the tenant: whoever labels the namespace has consented', () => {
    const rights = requiredRights(object, mesh, waves, context);

    expect([...new Set(rights.map(({ namespace }) => namespace))]).toEqual(['pay-system']);
    expect(rights).toContainEqual(
      expect.objectContaining({ resource: 'meshoperators', subresource: 'clusterscope' }),
    );
  });
});

describe('who is injected by a tenant', () => {
  const values = {
    'meshoperator.dev/tenant': ['pay', 'other'],
    'meshoperator.dev/member': ['pay', 'other'],
    'istio.io/rev': ['red', 'blue'],
    'istio-injection': ['enabled'],
  };
  const podLabels: readonly Record<string, string>[] = [{}, { 'istio.io/rev': 'red' }];

  test('is the same by the webhook as by the injector itself, and only who has all labels', () => {
    const injected: string[] = [];
    for (const namespace of combinations(Object.entries(values))) {
      for (const labels of podLabels) {
        const byWebhook = selectionEntries(mesh, 'red').some(
          ({ namespaceSelector, objectSelector }) =>
            matchesSelector(
              { matchExpressions: namespaceSelector },
              { ...namespace, 'kubernetes.io/metadata.name': 'shop' },
            ) && matchesSelector({ matchExpressions: objectSelector }, labels),
        );
        const decision = decideInjection({
          pod: { metadata: { labels }, spec: { containers: [] } },
          namespace: { name: 'shop', labels: namespace },
          ...{ mesh, kubernetesMinor: 35 },
        });
        expect(decision.kind === 'inject', JSON.stringify([namespace, labels, decision])).toBe(byWebhook);
        if (byWebhook) injected.push(JSON.stringify(namespace));
      }
    }

    const member = {
      'meshoperator.dev/tenant': 'pay',
      'meshoperator.dev/member': 'pay',
      'istio.io/rev': 'red',
    };
    expect([...new Set(injected)]).toEqual([JSON.stringify(member)]);
  });
});

/** Every choice of one value, or none, for each label. */
function combinations(labels: readonly (readonly [string, readonly string[]])[]): Record<string, string>[] {
  const [first, ...others] = labels;
  if (first === undefined) return [{}];
  const [key, choices] = first;
  const rest = combinations(others);
  return [...rest, ...choices.flatMap((value) => rest.map((inner) => ({ [key]: value, ...inner })))];
}
