import { expect, test } from 'vitest';
import { replicaPods } from '../../../src/api/istiod-replicas.ts';
import { aPodRecord, type PodRecordOptions } from '../../support/pod-records.ts';

const istiod: PodRecordOptions = { labels: { app: 'istiod' } };
const onNode = { nodeName: 'node-1' };

test.each<[string, PodRecordOptions, boolean]>([
  ['a pod of istiod that runs', { ...istiod, spec: onNode }, true],
  [
    'one that a node starts, which may have mounted an older bundle',
    { phase: 'Pending', spec: onNode },
    true,
  ],
  ['one that waits for a node, and has mounted nothing', { phase: 'Pending' }, false],
  ['one that has ended', { phase: 'Failed', spec: onNode }, false],
  ['a pod of something else', { labels: { app: 'cart' }, spec: onNode }, false],
])('%s', (_name, options, isReplica) => {
  const pod = aPodRecord({ ...istiod, ...options });

  expect(replicaPods([pod])).toEqual(isReplica ? [pod] : []);
});
