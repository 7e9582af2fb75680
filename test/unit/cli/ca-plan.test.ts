import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { planText, rotationPlan } from '../../../src/cli/ca-plan.ts';
import { aMeshWithAuthority, anAuthorityStatus } from '../../support/authority-status.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

const now = new Date('2026-01-01T00:00:00Z');
const rotation = {
  kind: 'intermediate',
  reason: 'Schedule',
  startedAt: '2026-01-01T00:00:00.000Z',
  phaseSince: '2026-01-01T00:00:00.000Z',
} as const;

function withSpec(spec: MeshOperatorSpec): KubernetesObject {
  return aMeshWithAuthority({}, {}, spec);
}

/** What stands against a rotation, each with a word of what the plan says of it. */
const obstacles = [
  {
    name: 'a paused mesh',
    mesh: withSpec({ paused: { reason: 'freeze' } }),
    says: 'remove spec.paused',
  },
  {
    name: 'a paused rotation',
    mesh: withSpec({
      certificateAuthority: { rotation: { paused: { reason: 'freeze', until: '2026-02-01T00:00:00Z' } } },
    }),
    says: 'until 2026-02-01T00:00:00.000Z (freeze): remove spec.certificateAuthority.rotation.paused',
  },
  {
    name: 'a rotation under way',
    mesh: aMeshWithAuthority({ phase: 'Signing', rotation }),
    says: 'A rotation of the intermediate (Schedule) is under way, in phase Signing',
  },
  {
    name: 'provider Istiod',
    mesh: aMeshOperator({ certificateAuthority: { provider: 'Istiod' } }) as unknown as KubernetesObject,
    says: 'Provider Istiod',
  },
  {
    name: 'provider External',
    mesh: withSpec({
      certificateAuthority: { provider: 'External', external: { address: 'ca.example.com:443' } },
    }),
    says: 'The authority at ca.example.com:443 issues',
  },
  {
    name: 'a mesh that the operator has not seen',
    mesh: aMeshOperator() as unknown as KubernetesObject,
    says: 'has not seen the mesh yet',
  },
  {
    name: 'the authority of another mesh',
    mesh: aMeshWithAuthority({}, { reason: 'SharedAuthority', message: 'MeshOperator first keeps it' }),
    says: 'MeshOperator first keeps it',
  },
  {
    name: 'refused material',
    mesh: aMeshWithAuthority({}, { status: 'False', reason: 'MaterialRefused', message: 'it fails lint' }),
    says: 'MaterialRefused: it fails lint',
  },
  {
    name: 'an authority that cannot be used',
    mesh: aMeshWithAuthority({}, { status: 'False', reason: 'AuthorityUnusable', message: 'Restore it' }),
    says: 'Restore it',
  },
  {
    name: 'a spec with an error',
    mesh: withSpec({ version: '0.1' }),
    says: 'The spec has an error: spec.version',
  },
];

describe('the plan of a rotation', () => {
  test('has the next dates with their reasons, and the end that three soaks allow', () => {
    const mesh = withSpec({ certificateAuthority: { rotation: { soak: '10m' } } });

    const plan = rotationPlan(mesh, now);

    expect(plan).toEqual({
      namespace: 'istio-system',
      name: 'mesh',
      nextRotation: anAuthorityStatus().nextRotation,
      oldRootDroppedAt: '2026-01-01T00:30:00.000Z',
      obstacles: [],
    });
    expect(planText(plan).split('\n')).toEqual([
      'istio-system/mesh',
      '  Next rotation of the root: 2032-09-13T00:00:00.000Z (Threshold)',
      '  Next rotation of the intermediate: 2026-09-02T00:00:00.000Z (Schedule)',
      '  If the root were rotated now, the old one would be dropped at 2026-01-01T00:30:00.000Z at the earliest',
      '  Nothing is known to stand against a rotation',
      '',
    ]);
  });

  test('says whose the root is where an issuer signs, and no date of it', () => {
    const issuerRef = { name: 'corporate', kind: 'ClusterIssuer' } as const;
    const { intermediate } = anAuthorityStatus().nextRotation ?? {};
    const mesh = aMeshWithAuthority(
      { nextRotation: { ...(intermediate === undefined ? {} : { intermediate }) } },
      {},
      { certificateAuthority: { provider: 'CertManager', certManager: { issuerRef } } },
    );

    const text = planText(rotationPlan(mesh, now));

    expect(text).toContain('The root is that of ClusterIssuer corporate');
    expect(text).not.toContain('Next rotation of the root');
    expect(text).toContain('Next rotation of the intermediate: 2026-09-02');
  });

  test.each(obstacles)('names $name', ({ mesh, says }) => {
    const plan = rotationPlan(mesh, now);

    expect(plan.obstacles).toEqual([expect.stringContaining(says)]);
    expect(planText(plan)).toContain(`Stands against it: ${plan.obstacles[0]}`);
  });

  test('takes no notice of a pause that has ended', () => {
    const paused = { reason: 'freeze', until: '2025-12-31T00:00:00Z' };
    const mesh = withSpec({ paused, certificateAuthority: { rotation: { paused } } });

    expect(rotationPlan(mesh, now).obstacles).toEqual([]);
  });

  test('names the other clusters, what each has to finish in which phase, and how long it is waited for', () => {
    const kubeconfig = { secretName: 'way' };
    const remotes = [
      { clusterName: 'north', kubeconfig },
      { clusterName: 'west', role: 'Remote', kubeconfig },
    ] as const;
    const absentSince = '2025-12-31T00:00:00.000Z';
    const spec: MeshOperatorSpec = {
      multiCluster: { meshID: 'shop', clusterName: 'east', remotes: [...remotes] },
      components: { eastWestGateways: [{ name: 'eastwest' }] },
    };
    const policy = { certificateAuthority: { rotation: { absentMembers: { proceedAfter: '24h' } } } };
    const status = {
      members: [{ clusterName: 'north', isTrusted: true, trustsRoot: true }],
      followers: [{ clusterName: 'west', trustsRoot: true, absentSince }],
    };

    const held = rotationPlan(aMeshWithAuthority({}, {}, spec), now);
    const patient = rotationPlan(aMeshWithAuthority(status, {}, { ...spec, ...policy }), now);

    expect(planText(held).split('\n').slice(-5)).toEqual([
      '  Cluster north holds Trusting until everybody there trusts the next root, Distrusting until nobody there holds the previous root',
      '  Cluster west, which follows this istiod, holds Trusting until its proxies trust the next root, Signing until they have certificates of the next intermediate, Distrusting until they trust the previous root no more',
      '  Each phase waits for other clusters for as long as it takes',
      '  Nothing is known to stand against a rotation',
      '',
    ]);
    expect(patient.patience).toBe('for 24h at most (rotation.absentMembers.proceedAfter)');
    expect(patient.obstacles).toEqual([
      `Cluster west cannot be reached since ${absentSince}, and a phase waits for it ${patient.patience}: see mesh-operator status --remotes`,
    ]);
  });

  test('says that it is about istiod alone where SPIRE issues for workloads', () => {
    const plan = rotationPlan(withSpec({ certificateAuthority: { provider: 'Spire' } }), now);

    expect(plan.obstacles).toEqual([]);
    expect(planText(plan)).toContain("This is about istiod's own authority: the certificates of workloads");
  });
});
