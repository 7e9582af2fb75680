import { describe, expect, test } from 'vitest';
import type { RemoteStatement } from '../../../../src/controllers/remotes/remote-outcome.ts';
import { remotesStatement, remotesStatus } from '../../../../src/controllers/remotes/remotes-status.ts';

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

describe('the condition of all clusters', () => {
  const conditionOf = (...statements: readonly RemoteStatement['said'][]) => {
    const { status, reason, message } = remotesStatement(statements);
    return [status, reason, message];
  };

  test('says that istiod reads them', () => {
    const both = conditionOf(said('Ready', 'Connected'), said('Ready', 'Revoking'));
    expect(both).toEqual(['True', 'Connected', 'istiod reads all 2 other clusters']);
  });

  test('says so of none while no replica is Ready that could have read them', () => {
    const one = conditionOf(said('Ready', 'IstiodNotReady'));
    expect(one).toEqual([
      'True',
      'IstiodNotReady',
      'No replica of istiod is Ready: the next one reads the other cluster',
    ]);
  });

  test('names the worst of them, whatever istiod does', () => {
    const [status, reason] = conditionOf(
      said('Ready', 'IstiodNotReady'),
      said('Unreachable', 'ApiServerTimeout'),
    );
    expect([status, reason]).toEqual(['False', 'RemoteUnreachable']);
  });
});
