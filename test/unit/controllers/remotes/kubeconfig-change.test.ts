import { expect, test } from 'vitest';
import { losingPods, mustKeepBytes } from '../../../../src/controllers/remotes/kubeconfig-change.ts';

const replica = (uid: string, release?: string) => ({
  ...{ pod: `istio-system/${uid}`, uid, secretEvents: 1 },
  ...(release === undefined ? {} : { release }),
});

test.each([
  { desired: '1.31.1', releases: ['1.31.1', '1.31.0'], keeps: false },
  { desired: '1.31.1', releases: ['1.31.1', '1.30.3'], keeps: true },
  { desired: '1.30.3', releases: ['1.31.1'], keeps: true },
  { desired: '1.29.6', releases: [], keeps: true },
  { desired: '1.30.4', releases: ['1.30.4'], keeps: false },
  { desired: '1.31.1', releases: ['unknown'], keeps: false },
])('$desired beside $releases: a kubeconfig keeps its bytes: $keeps', ({ desired, releases, keeps }) => {
  const replicas = releases.map((release, index) => replica(`u${index}`, release));

  expect(mustKeepBytes(desired, replicas)).toBe(keeps);
});

test('replicas have to start anew that forget endpoints for good, and one that does not say what it is', () => {
  const replicas = [
    ...[replica('old', '1.29.6'), replica('first', '1.30.0'), replica('last', '1.30.3-distroless')],
    ...[replica('mended', '1.30.4'), replica('new', '1.31.1'), replica('silent')],
  ];

  expect(losingPods('1.30.3', replicas)).toEqual(['first', 'last', 'silent']);
});
