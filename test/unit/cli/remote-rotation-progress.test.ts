import { expect, test } from 'vitest';
import type { RemoteStatus } from '../../../src/api/mesh-operator-status.ts';
import { RemoteRotationProgress } from '../../../src/cli/remote-rotation-progress.ts';

const before = '2026-01-01T00:00:00Z';
const after = '2026-01-01T01:00:00Z';

function west(reason: string, issuedAt: string): RemoteStatus {
  const state = reason === 'Delivering' ? 'Progressing' : 'Ready';
  return {
    ...{ clusterName: 'west', state, since: before, reason, message: 'words' },
    credential: { issuedAt },
  };
}

test('it ends when another credential is used and the one before refused, and says each step once', () => {
  const progress = new RemoteRotationProgress(['west'], [west('Connected', before)]);

  const steps = [
    west('Connected', before),
    west('Delivering', before),
    west('Delivering', before),
    west('Revoking', after),
    west('Connected', after),
  ].map((remote) => progress.next([remote]));

  expect(steps).toEqual([
    { lines: ['west: the operator has not begun yet'], hasEnded: false },
    { lines: ['west: Progressing (Delivering), words'], hasEnded: false },
    { lines: [], hasEnded: false },
    { lines: ['west: Ready (Revoking), words'], hasEnded: false },
    { lines: ['west: replaced; the credential of before is refused'], hasEnded: true },
  ]);
});

test('it waits for each cluster that was asked for, and for no other', () => {
  const north: RemoteStatus = { ...west('Connected', before), clusterName: 'north' };
  const one = new RemoteRotationProgress(['west'], [west('Connected', before), north]);
  const both = new RemoteRotationProgress(['west', 'north'], [west('Connected', before), north]);

  expect(one.next([west('Connected', after), north]).hasEnded).toBe(true);
  expect(both.next([west('Connected', after), north]).hasEnded).toBe(false);
});
