import { describe, expect, test } from 'vitest';
import { proveAccessRights } from '../../../src/isolation/access-rights.ts';
import type { ObservedCluster } from '../../../src/isolation/observed-cluster.ts';
import { aNamespace, aTenant, tenantIn, together } from '../../support/isolation-cluster.ts';

const [red, blue] = [await aTenant('red'), await aTenant('blue')];

interface Given {
  readonly subject: object;
  readonly rules?: readonly object[];
  /** Absent: in the whole cluster. */
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
}

const group = 'rbac.authorization.k8s.io';
const readsSecrets = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };
const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
const account = (namespace: string, name = 'app') => ({ kind: 'ServiceAccount', namespace, name });
const user = (name: string) => ({ kind: 'User', apiGroup: group, name });
const groupOf = (name: string) => ({ kind: 'Group', apiGroup: group, name });

function binding({ subject, rules = [readsSecrets], namespace, labels = {} }: Given, name = 'hole') {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const metadata = { name, labels, ...(namespace === undefined ? {} : { namespace }) };
  return {
    roles: [{ apiVersion: `${group}/v1`, kind, metadata, rules }],
    bindings: [
      {
        ...{ apiVersion: `${group}/v1`, kind: `${kind}Binding`, metadata },
        ...{ roleRef: { apiGroup: group, kind, name }, subjects: [subject] },
      },
    ],
  };
}

function rbacIn(...parts: Partial<ObservedCluster>[]) {
  const outsider = { namespaces: [aNamespace('outsider')] };
  const cluster = together(red.cluster, blue.cluster, outsider, ...parts);
  const { findings, platform = [] } = proveAccessRights(tenantIn(red, cluster), cluster, ['cert-manager']);
  return { findings, platform };
}

describe('rights of somebody outside in a tenant', () => {
  test.each<[string, Given, string]>([
    [
      'ServiceAccounts of others',
      { subject: account('outsider'), namespace: 'red-web' },
      'ServiceAccount outsider/app',
    ],
    [
      'ServiceAccounts as users',
      { subject: user('system:serviceaccount:outsider:app'), namespace: 'red-db' },
      'ServiceAccount outsider/app',
    ],
    [
      'those of another tenant',
      { subject: groupOf('system:serviceaccounts:blue-web'), namespace: 'red-web' },
      'Group system:serviceaccounts:blue-web',
    ],
    ['everybody', { subject: groupOf('system:authenticated') }, 'Group system:authenticated'],
    [
      'nobody with a name',
      { subject: user('system:anonymous'), namespace: 'red-system' },
      'User system:anonymous',
    ],
    ['people, in the whole cluster', { subject: user('ann') }, 'User ann'],
    [
      'administrators from another tenant',
      { subject: account('blue-web'), rules: [everything] },
      'ServiceAccount blue-web/app',
    ],
  ])('are found: %s', (_, given, subject) => {
    const [finding, ...more] = rbacIn(binding(given)).findings;

    expect(finding).toMatchObject({ severity: 'open', from: [subject], path: 'subjects[0]' });
    expect(finding?.object).toMatch(/^(Cluster)?RoleBinding (red-\w+\/)?hole$/);
    expect(finding?.why).toMatch(/read Secrets.*Role (red-\w+\/)?hole rules\[0\]/);
    expect(more).toEqual([]);
  });

  test.each<[string, object]>([
    [
      'run commands in pods, or connect to them',
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['create'] },
    ],
    [
      'run commands in pods, or connect to them',
      { apiGroups: [''], resources: ['*/attach'], verbs: ['get'] },
    ],
    [
      'get tokens of ServiceAccounts',
      { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
    ],
    ['make pods', { apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] }],
    ['give rights', { apiGroups: [group], resources: ['rolebindings'], verbs: ['create'] }],
    ['give rights', { apiGroups: [group], resources: ['clusterroles'], verbs: ['escalate'] }],
    ['act as others', { apiGroups: [''], resources: ['users'], verbs: ['impersonate'] }],
    ['write configmaps', { apiGroups: [''], resources: ['configmaps'], verbs: ['update'] }],
    ['change labels of namespaces', { apiGroups: [''], resources: ['namespaces'], verbs: ['patch'] }],
    ['reach every pod through nodes', { apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] }],
  ])('are found that let it %s', (power, rule) => {
    const { findings } = rbacIn(binding({ subject: account('outsider'), rules: [rule] }));

    expect(findings).toMatchObject([{ why: expect.stringContaining(`it can ${power} in every namespace`) }]);
  });

  test.each<[string, object]>([
    [
      'reads no Secrets',
      { apiGroups: ['', 'apps'], resources: ['pods', 'deployments'], verbs: ['get', 'list'] },
    ],
    ['asks what it may', { apiGroups: ['authorization.k8s.io'], resources: ['*'], verbs: ['create'] }],
    ['writes Events and nodes', { apiGroups: [''], resources: ['events', 'nodes/status'], verbs: ['patch'] }],
  ])('are none where it %s', (_, rule) => {
    expect(rbacIn(binding({ subject: account('outsider'), rules: [rule] })).findings).toEqual([]);
  });

  test('are found in a part of an aggregated role, which is named', () => {
    const whole = binding({ subject: account('outsider'), rules: [] }, 'whole');
    const roles = whole.roles.map((role) => ({
      ...role,
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { into: 'whole' } }] },
    }));
    const part = binding({ subject: account('nobody'), labels: { into: 'whole' } }, 'part');

    const { findings } = rbacIn({ ...whole, roles: [...roles, ...part.roles] });

    expect(findings).toMatchObject([
      { object: 'ClusterRoleBinding whole', why: expect.stringContaining('ClusterRole part rules[0]') },
    ]);
  });

  test('are those of the tenant’s own people by a RoleBinding, unless they are of another tenant as well', () => {
    const inRed = binding({ subject: user('ann'), namespace: 'red-web' });
    const inBlue = binding({ subject: user('ann'), namespace: 'blue-web' });

    expect(rbacIn(inRed).findings).toEqual([]);
    expect(rbacIn(inRed, inBlue).findings).toMatchObject([{ severity: 'open', from: ['User ann'] }]);
    expect(rbacIn(binding({ subject: user('ann'), namespace: 'red-system' })).findings).toMatchObject([
      { severity: 'note', from: ['User ann'] },
    ]);
  });
});

describe('rights of a tenant’s ServiceAccounts elsewhere', () => {
  test('are found', () => {
    const { findings } = rbacIn(
      binding({ subject: account('red-web'), namespace: 'outsider' }),
      binding({ subject: account('red-web') }, 'wide'),
      binding({ subject: account('red-web'), namespace: 'red-db' }, 'own'),
    );

    expect(findings.map(({ object, to }) => `${object} -> ${to}`)).toEqual([
      'RoleBinding outsider/hole -> Namespace outsider',
      'ClusterRoleBinding wide -> every namespace',
    ]);
  });
});

describe('the platform', () => {
  const operator = { 'app.kubernetes.io/name': 'mesh-operator', 'app.kubernetes.io/component': 'operator' };

  test.each<[string, Given, string]>([
    ['Kubernetes’ controllers', { subject: account('kube-system', 'job-controller') }, 'kube-system'],
    ['Kubernetes’ own groups', { subject: groupOf('system:masters'), rules: [everything] }, 'of Kubernetes'],
    [
      'the operator',
      { subject: account('mesh-operator', 'mesh-operator'), labels: operator },
      'the operator',
    ],
    ['administrators of the cluster', { subject: user('root'), rules: [everything] }, 'do everything'],
    ['namespaces that were said to be', { subject: account('cert-manager') }, 'was said'],
  ])('is no finding, but listed: %s', (_, given, because) => {
    const { findings, platform } = rbacIn(binding(given));

    expect(findings).toEqual([]);
    expect(platform).toContainEqual({
      subject: expect.any(String),
      because: expect.stringContaining(because),
    });
  });

  test('has the control planes of other meshes, but not what somebody else gives their accounts', () => {
    const istiod = account('blue-system', 'istiod-blue');

    expect(rbacIn().platform).toContainEqual({
      subject: 'ServiceAccount blue-system/istiod-blue',
      because: expect.stringContaining('control plane of MeshOperator blue-system/blue'),
    });
    expect(rbacIn(binding({ subject: istiod, namespace: 'red-web' })).findings).toHaveLength(1);
  });
});
