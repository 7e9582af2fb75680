import { describe, expect, test } from 'vitest';
import type { Condition, MeshOperatorStatus } from '../../../../src/api/mesh-operator-status.ts';
import { leastStatusIntervalMs } from '../../../../src/controllers/mesh/status-interval.ts';

function aCondition(type: string, status: Condition['status'], reason: string, message = ''): Condition {
  return {
    type,
    status,
    reason,
    message,
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
  };
}

const inventory = [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'istio-system', name: 'istio' }];
const unready = aCondition('Ready', 'False', 'Progressing');
const istiodUnready = aCondition('ControlPlaneReady', 'False', 'Progressing', '0 of 2 replicas');
const istiodReady = aCondition('ControlPlaneReady', 'True', 'Healthy');
const before: MeshOperatorStatus = {
  state: 'Reconciling',
  conditions: [unready, istiodUnready],
  inventory,
};

describe('a status that changes soon after it was written', () => {
  test.each<[string, MeshOperatorStatus, number]>([
    [
      'a count in a message',
      { ...before, conditions: [unready, { ...istiodUnready, message: '1 of 2 replicas' }] },
      10_000,
    ],
    ['a part that became ready', { ...before, conditions: [unready, istiodReady] }, 10_000],
    [
      'the address of a gateway',
      { ...before, gateways: [{ name: 'g', namespace: 'istio-system', addresses: ['192.0.2.1'] }] },
      10_000,
    ],
    [
      'why it does not get on',
      { ...before, conditions: [aCondition('Ready', 'Unknown', 'NamespaceMissing'), istiodUnready] },
      0,
    ],
    ['what is about to be created', { ...before, inventory: [] }, 0],
    ['a mesh that became ready', { ...before, state: 'Ready' }, 0],
    ['a mesh that needs a person', { ...before, state: 'Stalled' }, 0],
  ])('says %s after its time', (_name, status, waitMs) => {
    expect(leastStatusIntervalMs(before, status)).toBe(waitMs);
  });

  test('says at once that a ready mesh is not ready any more', () => {
    expect(leastStatusIntervalMs({ ...before, state: 'Ready' }, before)).toBe(0);
  });
});
