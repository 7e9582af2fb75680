import { expect, test } from 'vitest';
import type { RemoteStatus } from '../../../src/api/mesh-operator-status.ts';
import { remotesText } from '../../../src/cli/remotes-text.ts';

const since = '2026-01-01T00:00:00.123Z';
const west: RemoteStatus = {
  ...({
    clusterName: 'west',
    state: 'Ready',
    since,
    reason: 'Connected',
    message: 'istiod reads it',
  } as const),
  kubernetesVersion: 'v1.35.1',
  credential: { issuedAt: since, expiresAt: '2026-01-02T00:00:00Z', renewAt: '2026-01-01T12:00:00.123Z' },
};
const north: RemoteStatus = {
  ...({ clusterName: 'north', state: 'Unreachable', since, reason: 'ApiServerTimeout' } as const),
  message: 'does not answer',
};

function linesOf(...remotes: RemoteStatus[]): string[] {
  return remotesText({ namespace: 'istio-system', name: 'mesh', remotes }, (_style, text) => text).split(
    '\n',
  );
}

test('the other clusters are a table: how each stands, its version, and what istiod reads it with', () => {
  const [heading, columns, first, second, end] = linesOf(west, north);

  expect([heading, end]).toEqual(['istio-system/mesh', '']);
  expect(columns?.trim().split(/ {2,}/)).toEqual([
    ...['CLUSTER', 'STATE', 'REASON', 'SINCE', 'KUBERNETES', 'ISSUED', 'EXPIRES', 'RENEWS', 'MESSAGE'],
  ]);
  expect(first?.trim().split(/ {2,}/)).toEqual([
    ...['west', 'Ready', 'Connected', '2026-01-01T00:00:00Z', 'v1.35.1', '2026-01-01T00:00:00Z'],
    ...['2026-01-02T00:00:00Z', '2026-01-01T12:00:00Z', 'istiod reads it'],
  ]);
  expect(second?.trim().split(/ {2,}/)).toEqual([
    ...['north', 'Unreachable', 'ApiServerTimeout', '2026-01-01T00:00:00Z', '-', '-', '-', '-'],
    'does not answer',
  ]);
});

test('a credential without an end expires never', () => {
  const [, , row] = linesOf({ ...west, credential: { issuedAt: since } });

  expect(row).toContain('  never  ');
});

test('a mesh of one cluster says so', () => {
  expect(linesOf()).toEqual(['istio-system/mesh  no other cluster', '']);
});
