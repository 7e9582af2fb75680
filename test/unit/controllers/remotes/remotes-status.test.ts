import { describe, expect, test } from 'vitest';
import type { RemoteStatement } from '../../../../src/controllers/remotes/remote-outcome.ts';
import { remotesStatus } from '../../../../src/controllers/remotes/remotes-status.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));

function said(state: 'Ready' | 'Unreachable', reason: string): RemoteStatement['said'] {
  return { clusterName: 'west', state, reason, message: reason };
}

function sinceAfter(...steps: readonly RemoteStatement['said'][]): string | undefined {
  let status: ReturnType<typeof remotesStatus> = [];
  steps.forEach((step, minute) => {
    status = remotesStatus([step], status, at(minute));
  });
  return status[0]?.since;
}

describe('since when a cluster is what it is', () => {
  test('is when it became that', () => {
    expect(sinceAfter(said('Ready', 'Connected'), said('Unreachable', 'ApiServerUnreachable'))).toBe(
      at(1).toISOString(),
    );
  });

  test('stays while an outage shows itself in one way and then in another', () => {
    const outage = [
      said('Unreachable', 'ApiServerUnreachable'),
      said('Unreachable', 'ApiServerTimeout'),
      said('Unreachable', 'ApiServerUnreachable'),
    ];
    expect(sinceAfter(said('Ready', 'Connected'), ...outage)).toBe(at(1).toISOString());
  });
});
