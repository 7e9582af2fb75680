import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { authorityOf } from '../../../src/cli/authority-of.ts';
import { caStatusText } from '../../../src/cli/ca-status.ts';
import { aMeshWithAuthority, aTrustCondition } from '../../support/authority-status.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

const now = new Date('2026-01-01T00:00:00Z');

function linesOf(mesh: KubernetesObject, at = now): string[] {
  return caStatusText(authorityOf(mesh), at).split('\n');
}

describe('mesh-operator ca status', () => {
  test('shows an authority at rest with the days that are left and the next dates', () => {
    expect(linesOf(aMeshWithAuthority())).toEqual([
      'istio-system/mesh: Stable',
      '  TrustHealthy True, Healthy: All is well',
      '  root         current  serial a1, ends 2036-01-01T00:00:00.000Z, 3652 days left',
      '  intermediate current  serial b1, ends 2027-01-01T00:00:00.000Z, 365 days left',
      '  Next rotation of the root: 2032-09-13T00:00:00.000Z (Threshold)',
      '  Next rotation of the intermediate: 2026-09-02T00:00:00.000Z (Schedule)',
      '',
    ]);
  });

  test('shows a rotation with its slots, how far it is, and everything that it waits for', () => {
    const mesh = aMeshWithAuthority({
      phase: 'Trusting',
      root: {
        current: { serial: 'a1', fingerprint: 'f1', notAfter: '2036-01-01T00:00:00.000Z' },
        next: { serial: 'a2', fingerprint: 'f3', notAfter: '2036-02-01T00:00:00.000Z' },
      },
      rotation: {
        kind: 'root',
        reason: 'Requested',
        startedAt: '2026-01-01T00:00:00.000Z',
        phaseSince: '2026-01-01T00:00:01.000Z',
      },
      waitingFor: ['pod shop/cart-0 does not trust the next root', 'pod shop/cart-1 does not answer'],
      proxies: { total: 10, done: 8 },
    });

    const lines = linesOf(mesh);

    expect(lines).toEqual(
      expect.arrayContaining([
        'istio-system/mesh: Trusting',
        '  root         next     serial a2, ends 2036-02-01T00:00:00.000Z, 3683 days left',
        '  Rotation: root (Requested) since 2026-01-01T00:00:00.000Z, in phase Trusting since 2026-01-01T00:00:01.000Z',
        '  Proxies done: 8 of 10',
        '  Waits: pod shop/cart-0 does not trust the next root',
        '  Waits: pod shop/cart-1 does not answer',
      ]),
    );
  });

  test('shows whether other clusters of the mesh trust each other, and what that waits for', () => {
    const absentSince = '2025-12-31T00:00:00.000Z';
    const message = `cannot be reached since ${absentSince}`;
    const lines = linesOf(
      aMeshWithAuthority({
        members: [
          { clusterName: 'north', isTrusted: true, trustsRoot: true },
          { clusterName: 'west', isTrusted: false, trustsRoot: false, absentSince, message },
        ],
        followers: [
          { clusterName: 'south', trustsRoot: true },
          { clusterName: 'far', trustsRoot: false, absentSince, message },
        ],
        waitingFor: ['ConfigMap shop/istio-ca-root-cert lacks a root that is to be trusted'],
      }),
    );

    expect(lines).toEqual(
      expect.arrayContaining([
        '  Cluster north: its roots are trusted here, it trusts the root of this cluster',
        `  Cluster west: its roots are not trusted by everybody here yet, it does not trust the root of this cluster yet; ${message}`,
        '  Cluster south, which follows this istiod: its proxies trust the root',
        `  Cluster far, which follows this istiod: its proxies were not seen to trust the root that signs; ${message}`,
        '  Waits: ConfigMap shop/istio-ca-root-cert lacks a root that is to be trusted',
      ]),
    );
  });

  test('shows how long the last rotation took', () => {
    const lastRotation = {
      kind: 'root',
      reason: 'KeyCompromise',
      startedAt: '2025-12-01T00:00:00.000Z',
      finishedAt: '2025-12-01T00:00:42.500Z',
      seconds: 42.5,
    } as const;

    expect(linesOf(aMeshWithAuthority({ lastRotation }))).toContain(
      '  Last rotation: root (KeyCompromise), ended 2025-12-01T00:00:42.500Z after 42.5 s',
    );
  });

  test.each([
    { at: '2026-12-30T12:00:00Z', says: '1 day left' },
    { at: '2026-12-31T12:00:00Z', says: '0 days left' },
    { at: '2027-01-01T00:00:00Z', says: 'has ended on 2027-01-01T00:00:00.000Z' },
  ])('counts whole days: at $at the intermediate $says', ({ at, says }) => {
    const lines = linesOf(aMeshWithAuthority(), new Date(at));

    expect(lines.find((text) => text.startsWith('  intermediate'))).toContain(says);
  });

  test('says of a mesh without an authority why that may be', () => {
    expect(linesOf(aMeshOperator() as unknown as KubernetesObject)).toEqual([
      'istio-system/mesh: no authority in its status',
      '  istiod signs by itself, or the operator has not seen the mesh yet',
      '',
    ]);
  });

  test('shows the roots of an authority that somebody else keeps', () => {
    const trustBundle = {
      configMap: 'istio-system/roots',
      roots: [{ serial: 'c1', fingerprint: 'f1', notAfter: '2026-01-03T00:00:00.000Z' }],
    };
    const status = { conditions: [aTrustCondition()], trustBundle };

    expect(linesOf({ ...aMeshOperator(), status } as unknown as KubernetesObject)).toEqual([
      'istio-system/mesh: external',
      '  TrustHealthy True, Healthy: All is well',
      '  root of ConfigMap istio-system/roots: serial c1, ends 2026-01-03T00:00:00.000Z, 2 days left',
      '',
    ]);
  });
});
