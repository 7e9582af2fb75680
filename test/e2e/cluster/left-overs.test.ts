import { expect, onTestFinished, test } from 'vitest';
import { type Cluster, removeCluster, startCluster } from '../../cluster/cluster.ts';
import { descendantsOf, signal } from '../../cluster/process-identity.ts';
import { ctr } from '../../cluster/real-node.ts';
import { runTestApp } from '../../support/cluster-app.ts';
import { findLeftOvers, traceCluster } from '../../support/left-overs.ts';

async function start(name: string, keepImages = false): Promise<Cluster> {
  const cluster = await startCluster({ name: `${name}-${process.pid}`, nodes: 'kubelet', keepImages });
  onTestFinished(async () => {
    await removeCluster(cluster.name);
  });
  return cluster;
}

test('nothing of a cluster with running pods is left after stop', async () => {
  const cluster = await start('gone');
  await runTestApp(cluster, 'web');
  const traces = traceCluster(cluster);
  const kinds = (await findLeftOvers(traces)).map((line) => line.split(' ')[0]);
  expect(new Set(kinds)).toEqual(new Set(['process', 'interface', 'route', 'control', 'folder']));

  await cluster.stop();

  expect(await findLeftOvers(traces)).toEqual([]);
});

test('a cluster killed with SIGKILL to its last process starts again and leaves nothing', async () => {
  const first = await start('killed');
  await runTestApp(first, 'web');
  const traces = traceCluster(first);
  const roots = [
    first.state.holder?.unshare.pid ?? 0,
    ...Object.values(first.state.supervisors).map(({ shell }) => shell.pid),
  ];
  for (const pid of roots.flatMap((root) => [root, ...descendantsOf(root)])) signal(pid, 'SIGKILL');

  const second = await start('killed');

  expect(await second.kubectl('get', 'deployments', '-o', 'name')).toBe('');
  await second.stop();
  expect(await findLeftOvers(traces)).toEqual([]);
});

test('imported images stay for the next cluster of the name when that was asked for', async () => {
  const first = await start('images', true);
  await runTestApp(first, 'web');
  await first.stop();

  const second = await start('images', true);
  const images = await second.execInNode([...ctr, 'images', 'ls', '-q']);
  await runTestApp(second, 'web');

  expect(images).toContain('meshoperator.dev/test-app:1');
});
