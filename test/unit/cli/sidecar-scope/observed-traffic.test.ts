import { expect, test } from 'vitest';
import { trafficOf } from '../../../../src/cli/sidecar-scope/observed-traffic.ts';
import { scopeWindow } from '../../../support/scope-cluster.ts';

const { from, to } = scopeWindow;
const nothing = { calls: [], first: [], last: [] };

function aSample(labels: Record<string, string>, value = 1) {
  const source = { source_workload: 'client', source_workload_namespace: 'shop' };
  const host = 'web.shop.svc.cluster.local';
  const destination = { destination_service: host, destination_service_name: 'web' };
  return { labels: { ...source, ...destination, destination_service_namespace: 'shop', ...labels }, value };
}

test('calls of one workload to one service are one, of whatever protocol, and a part of one is a whole', () => {
  const calls = [aSample({}, 2.2), aSample({ destination_service_name: 'other-name' }, 1)];

  expect(trafficOf({ ...nothing, calls }, from, to).calls).toEqual([
    {
      source: { namespace: 'shop', workload: 'client' },
      namespace: 'shop',
      host: 'web.shop.svc.cluster.local',
      count: 4,
    },
  ]);
});

test.each([
  ['what is no service of the mesh', { destination_service_name: 'PassthroughCluster' }],
  ['what was refused', { destination_service_name: 'BlackHoleCluster' }],
  ['a service without a name', { destination_service: 'unknown' }],
  ['a caller without a name', { source_workload: 'unknown' }],
])('%s is no call', (_name, labels) => {
  expect(trafficOf({ ...nothing, calls: [aSample(labels)] }, from, to).calls).toEqual([]);
});

test('a service of an unknown namespace is a call all the same', () => {
  const calls = [aSample({ destination_service_namespace: 'unknown' })];

  expect(trafficOf({ ...nothing, calls }, from, to).calls).toMatchObject([{ namespace: undefined }]);
});

test('a workload is seen from its first metric to its last, as caller or as callee', () => {
  const seconds = (text: string) => Date.parse(text) / 1000;
  const caller = { source_workload: 'web', source_workload_namespace: 'shop' };
  const callee = { destination_workload: 'web', destination_workload_namespace: 'shop' };
  const first = [
    { labels: caller, value: seconds('2026-01-03T00:00:00Z') },
    { labels: callee, value: seconds('2026-01-02T00:00:00Z') },
  ];
  const last = [
    { labels: caller, value: seconds('2026-01-06T00:00:00Z') },
    { labels: callee, value: seconds('2026-01-05T00:00:00Z') },
  ];

  expect(trafficOf({ calls: [], first, last }, from, to).workloads).toEqual([
    {
      namespace: 'shop',
      workload: 'web',
      from: new Date('2026-01-02T00:00:00Z'),
      to: new Date('2026-01-06T00:00:00Z'),
    },
  ]);
});

test('who has only just called is seen, and for no longer than that', () => {
  expect(trafficOf({ ...nothing, calls: [aSample({})] }, from, to).workloads).toEqual([
    { namespace: 'shop', workload: 'client', from: to, to },
  ]);
});
