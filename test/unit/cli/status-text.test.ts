import { describe, expect, test } from 'vitest';
import { conditionTable } from '../../../src/api/conditions.ts';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { Condition, MeshOperatorStatus, UpgradeStatus } from '../../../src/api/mesh-operator-status.ts';
import { adviceByReason } from '../../../src/cli/advice.ts';
import { meshReport } from '../../../src/cli/status.ts';
import { statusText } from '../../../src/cli/status-text.ts';
import { anAuthorityStatus, aTrustCondition } from '../../support/authority-status.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

const now = new Date('2026-01-01T00:00:00Z');

function condition(type: string, status: Condition['status'], reason: string, message: string): Condition {
  return { type, status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' };
}

function aMesh(status: MeshOperatorStatus, generation = 1): KubernetesObject {
  return { ...aMeshOperator({}, { generation }), status } as unknown as KubernetesObject;
}

function linesOf(status: MeshOperatorStatus, generation?: number): string[] {
  return statusText(meshReport(aMesh(status, generation)), now, (_style, text) => text).split('\n');
}

const ready: MeshOperatorStatus = {
  ...{ observedGeneration: 1, state: 'Ready', version: '1.31.1', revision: 'default' },
  conditions: [
    condition('Ready', 'True', 'Ready', 'All 30 objects are applied and healthy'),
    condition('ControlPlaneReady', 'True', 'Healthy', 'istiod is rolled out and available'),
  ],
  gateways: [{ namespace: 'edge', name: 'one', addresses: ['192.0.2.1'] }],
  revisions: [{ name: 'default', version: '1.31.1' }],
  inventory: [{ apiVersion: 'v1', kind: 'Service', namespace: 'edge', name: 'one' }],
};

describe('mesh-operator status', () => {
  test('shows a healthy mesh with nothing to do', () => {
    expect(linesOf(ready)).toEqual([
      'istio-system/mesh  Ready',
      '  Ready: All 30 objects are applied and healthy',
      '  Version        Istio 1.31.1, revision default',
      '  Control plane  Healthy: istiod is rolled out and available',
      '  Gateway        edge/one: 192.0.2.1',
      '  Objects        1',
      '',
    ]);
  });

  test('shows an upgrade under way: where it is, from where to where, and what it waits for', () => {
    const upgrade: UpgradeStatus = {
      ...({ phase: 'Moving', active: '1-30-3', target: '1-31-1' } as const),
      since: '2026-01-01T00:00:00Z',
      ...{ wave: 1, waves: 2, waitingFor: ['pod shop/cart-0'] },
    };
    const revisions = [
      { name: '1-30-3', version: '1.30.3' },
      { name: '1-31-1', version: '1.31.1' },
    ];

    expect(linesOf({ ...ready, upgrade, revisions })).toEqual(
      expect.arrayContaining([
        '  Revisions      1-30-3 (Istio 1.30.3), 1-31-1 (Istio 1.31.1)',
        '  Upgrade        Moving, wave 1 of 2 from 1-30-3 to 1-31-1, since 2026-01-01T00:00:00Z',
        '                 waits for pod shop/cart-0',
      ]),
    );
  });

  test('shows certificates with the days that are left and the next dates', () => {
    const lines = linesOf({
      ...ready,
      conditions: [aTrustCondition()],
      certificateAuthority: anAuthorityStatus(),
    });

    expect(lines).toEqual(
      expect.arrayContaining([
        '  Authority     Healthy: All is well',
        '  Certificates  root ends 2036-01-01T00:00:00.000Z, 3652 days left',
        '                intermediate ends 2027-01-01T00:00:00.000Z, 365 days left',
        '                next rotation of the intermediate: 2026-09-02T00:00:00.000Z (Schedule)',
      ]),
    );
  });

  test('says what to do about each reason once', () => {
    const message = 'Pod a/b should have a sidecar and has none';
    const lines = linesOf({
      ...{ observedGeneration: 1, state: 'Stalled' },
      conditions: [
        condition('Ready', 'False', 'ObjectExists', 'Service a/b exists already'),
        condition('Stalled', 'True', 'ObjectExists', 'Service a/b exists already'),
        condition('ProxiesUpToDate', 'False', 'BarePods', message),
      ],
      dataPlane: { barePods: 1, outdatedPods: 0, examples: ['a/b'] },
    });

    expect(lines).toEqual([
      'istio-system/mesh  Stalled',
      '  ObjectExists: Service a/b exists already',
      `  Sidecars  BarePods: ${message}`,
      '  Pods      1 without their sidecar, 0 with an older one',
      '            a/b',
      '  Objects   0',
      '  What to do',
      `    ObjectExists: ${adviceByReason.ObjectExists}`,
      `    BarePods: ${adviceByReason.BarePods}`,
      '',
    ]);
  });

  test('shows who calls in plaintext while mutual TLS waits', () => {
    const mtls = {
      ...{ inForce: [], waiting: ['*'], waitsSince: '2026-01-01T00:00:00Z' },
      callers: [
        { from: 'batch/report', to: 'shop/web', count: 12 },
        { to: 'shop/db', count: 1 },
      ],
    };
    const conditions = [condition('MutualTlsInForce', 'False', 'PlaintextCallers', 'STRICT waits at *')];

    expect(linesOf({ ...ready, conditions, mtls })).toEqual(
      expect.arrayContaining([
        '  Mutual TLS  PlaintextCallers: STRICT waits at *',
        '  Plaintext   waits since 2026-01-01T00:00:00Z',
        '              batch/report calls shop/web (12)',
        '              somebody without a proxy calls shop/db (1)',
      ]),
    );
  });

  test('says who follows which revision', () => {
    const namespaces = ['a', 'b', 'c', 'd', 'e', 'f'];
    const dataPlane = {
      ...{ barePods: 0, outdatedPods: 0 },
      revisions: [
        { name: '1-30-3', pods: 1, namespaces: ['a'] },
        { name: '1-31-1', pods: 7, namespaces },
      ],
    };

    expect(linesOf({ ...ready, dataPlane })).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^ +1 follows revision 1-30-3, in a$/),
        expect.stringMatching(/^ +7 follow revision 1-31-1, in a, b, c, d, e, and 1 more$/),
      ]),
    );
  });

  test('names workloads whose pods are still as another installer has made them', () => {
    const adopted = [
      { object: 'Deployment istio-system/istiod', keeps: 'PodTemplate' as const },
      { object: 'ConfigMap istio-system/values', keeps: 'Object' as const },
    ];

    expect(linesOf({ ...ready, adopted }).join('\n')).toMatch(
      /Objects +1; with the pods of the former installer: Deployment istio-system\/istiod$/m,
    );
  });

  test('says that it speaks of an older spec, and that the operator has not seen a mesh', () => {
    expect(linesOf(ready, 2)).toContain('  The latest change of the spec is not done yet.');
    expect(linesOf({})[0]).toBe('istio-system/mesh  not seen by the operator yet');
  });

  test('has advice only for reasons that there are', () => {
    const reasons = conditionTable.flatMap(({ reasons }) => reasons.map(({ reason }) => reason));

    expect(Object.keys(adviceByReason).filter((reason) => !reasons.includes(reason))).toEqual([]);
  });
});
