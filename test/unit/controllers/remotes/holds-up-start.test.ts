import { describe, expect, test } from 'vitest';
import { holdsUpStart } from '../../../../src/controllers/remotes/holds-up-start.ts';

const startedAt = '2030-01-01T00:00:00Z';
const hence = (seconds: number) => new Date(Date.parse(startedAt) + seconds * 1000);
const waiting = {
  ...{ pod: 'istio-system/istiod-1', uid: 'u1', startedAt, secretEvents: 1, syncStatus: 'timeout' },
};

describe('a cluster holds up the start of istiod', () => {
  test('when a replica still waits for it long after it has given it up', () => {
    expect(holdsUpStart([waiting], hence(61))).toBe(true);
  });

  test.each([
    ['has just given it up, and is Ready in a moment', [waiting], 40],
    ['has read it', [{ ...waiting, syncStatus: 'synced' }], 600],
    ['does not know it', [{ pod: waiting.pod, uid: 'u1', startedAt, secretEvents: 1 }], 600],
    ['cannot be asked', [{ pod: waiting.pod, uid: 'u1', secretEvents: 0, problem: 'cannot be asked' }], 600],
    ['is not there', [], 600],
  ])('not when the replica %s', (_what, replicas, seconds) => {
    expect(holdsUpStart(replicas, hence(seconds))).toBe(false);
  });
});
