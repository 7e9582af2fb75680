import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import type { MemberState } from '../../../../src/api/mesh-operator-status.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { decideMembers, memberStatuses } from '../../../../src/controllers/mesh/decide-members.ts';
import { tenancyCondition } from '../../../../src/controllers/mesh/tenancy-condition.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

type Members = NonNullable<MeshOperatorSpec['tenancy']>['members'];
type Labels = Record<string, string>;

const consent = { 'meshoperator.dev/tenant': 'pay' };
const enrolled = { ...consent, 'meshoperator.dev/member': 'pay', 'istio.io/rev': 'red' };
const byTeam: Members = { selector: { matchLabels: { team: 'pay' } } };
const team = { team: 'pay' };

function aNamespace(name: string, labels: Labels = {}, deletionTimestamp?: string): KubernetesObject {
  const ending = deletionTimestamp === undefined ? {} : { deletionTimestamp };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, ...ending } };
}

function decide(members: Members, ...namespaces: KubernetesObject[]) {
  const spec = { revision: 'red', tenancy: { tenant: 'pay', members } };
  const mesh = resolveMesh(aMeshOperator(spec, { namespace: 'pay-system' }));
  if (mesh.tenancy === undefined) throw new Error('the mesh has no tenancy');
  const purposes = { 'other-system': 'ControlPlane', 'mesh-operator': 'Operator' } as const;
  const purposeOf = (name: string) => purposes[name as keyof typeof purposes];
  return decideMembers(mesh, mesh.tenancy, { namespaces, purposeOf });
}

const rows: readonly [what: string, members: Members, labels: Labels, state: MemberState | undefined][] = [
  ['is selected and consents', byTeam, { ...team, ...consent }, 'Enrolling'],
  ['is named and consents', { namespaces: ['shop'] }, consent, 'Enrolling'],
  ['is one of all that consent', { selector: {} }, consent, 'Enrolling'],
  ['has every label', byTeam, { ...team, ...enrolled }, 'Enrolled'],
  ['has lost a label of ours', byTeam, { ...team, ...enrolled, 'istio.io/rev': '' }, 'Leaving'],
  [
    'has chosen the tenant itself before',
    byTeam,
    { ...team, ...consent, 'istio.io/rev': 'red' },
    'Enrolling',
  ],
  ['is selected without consent', byTeam, team, 'NoConsent'],
  ['is named without consent', { namespaces: ['shop'] }, {}, 'NoConsent'],
  ['is one of all, without consent', { selector: {} }, {}, undefined],
  ['consents to another tenant', byTeam, { ...team, 'meshoperator.dev/tenant': 'red' }, 'OtherTenant'],
  [
    'another tenant has not left yet',
    byTeam,
    { ...team, ...consent, 'meshoperator.dev/member': 'old' },
    'OtherTenant',
  ],
  ['consents and is not wanted', byTeam, consent, 'NotSelected'],
  ['follows another control plane', byTeam, { ...team, ...consent, 'istio.io/rev': 'prod' }, 'OtherRevision'],
  [
    'follows the default one',
    byTeam,
    { ...team, ...consent, 'istio-injection': 'enabled' },
    'InjectionLabel',
  ],
  ['was a member and is wanted no more', byTeam, enrolled, 'Leaving'],
  ['was a member and consents no more', byTeam, { ...team, 'meshoperator.dev/member': 'pay' }, 'Leaving'],
  ['has nothing to do with it', byTeam, { team: 'other' }, undefined],
];

describe('a namespace of a tenant', () => {
  test.each(rows)('that %s', (_what, members, labels, state) => {
    const [candidate] = decide(members, aNamespace('shop', labels));

    expect(candidate?.state).toBe(state);
  });

  test.each<[string, KubernetesObject, MemberState | undefined]>([
    ["Kubernetes' own", aNamespace('kube-system', { ...team, ...consent }), 'SystemNamespace'],
    ['of another control plane', aNamespace('other-system', { ...team, ...consent }), 'ControlPlane'],
    ['of the operator', aNamespace('mesh-operator', { ...team, ...consent }), 'Operator'],
    ['of its own control plane', aNamespace('pay-system', { ...team, ...consent }), undefined],
    ['that ends', aNamespace('shop', { ...team, ...enrolled }, '2026-01-01T00:00:00Z'), undefined],
  ])('is no member when it is one %s', (_what, namespace, state) => {
    expect(decide(byTeam, namespace)[0]?.state).toBe(state);
  });

  test('is missing when it is named and does not exist', () => {
    expect(decide({ namespaces: ['shop'] })).toMatchObject([{ namespace: 'shop', state: 'Missing' }]);
  });
});

describe('what is told of them', () => {
  const now = new Date('2026-01-02T00:00:00Z');

  test('keeps the time while the state stays', () => {
    const before = [
      { namespace: 'a', state: 'Enrolled', since: '2026-01-01T00:00:00Z' },
      { namespace: 'b', state: 'Enrolling', since: '2026-01-01T00:00:00Z' },
    ] as const;
    const candidates = decide(
      byTeam,
      ...['a', 'b'].map((name) => aNamespace(name, { ...team, ...enrolled })),
    );

    expect(memberStatuses(before, candidates, now)).toEqual([
      before[0],
      { namespace: 'b', state: 'Enrolled', since: '2026-01-02T00:00:00Z' },
    ]);
  });

  test('has every member, and of the others fifty', () => {
    const members = Array.from({ length: 60 }, (_, index) =>
      aNamespace(`m-${index}`, { ...team, ...enrolled }),
    );
    const others = Array.from({ length: 60 }, (_, index) => aNamespace(`a-${index}`, team));

    const told = memberStatuses([], decide(byTeam, ...members, ...others), now);

    expect(told.filter(({ state }) => state === 'Enrolled')).toHaveLength(60);
    expect(told.filter(({ state }) => state === 'NoConsent')).toHaveLength(50);
  });

  test.each<[string, Labels, string, RegExp]>([
    ['members', enrolled, 'MembersEnrolled', /^1 namespace is a member$/],
    ['those under way', consent, 'Progressing', /^Under way: shop$/],
    ['those without consent', {}, 'MembersRefused', /^namespace shop does not carry the label meshoperator/],
    [
      'those of others',
      { ...consent, 'istio.io/rev': 'prod' },
      'MembersRefused',
      /another control plane in its label istio\.io\/rev, which is left as it is/,
    ],
  ])('says in the condition what is true of %s', (_what, labels, reason, message) => {
    const candidates = decide({ namespaces: ['shop'] }, aNamespace('shop', labels));

    const condition = tenancyCondition(memberStatuses([], candidates, now));

    expect(condition).toMatchObject({
      type: 'TenancyReady',
      reason,
      message: expect.stringMatching(message),
    });
  });
});
