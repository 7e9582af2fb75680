import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, listClusters, openCluster, startCluster } from '../../cluster/cluster.ts';
import { signal } from '../../cluster/process-identity.ts';
import { readState } from '../../cluster/run-folder.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';

const started: Cluster[] = [];

async function start(name: string): Promise<Cluster> {
  const cluster = await startCluster({ name: `${name}-${process.pid}`, nodes: 'none' });
  started.push(cluster);
  return cluster;
}

afterEach(async () => {
  for (const cluster of started.splice(0)) await cluster.stop();
});

/** Command lines on this machine that name the cluster's folder. */
function processesOf(rundir: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => readProc(join('/proc', pid, 'cmdline')).replaceAll('\0', ' '))
    .filter((line) => line.includes(rundir));
}

function readProc(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // the process ended meanwhile
  }
}

test('the API server says the version it was built from', async () => {
  const cluster = await sharedCluster();

  const { serverVersion } = JSON.parse(await cluster.kubectl('version', '-o', 'json'));

  expect(serverVersion).toMatchObject({ gitVersion: 'v1.35.4', major: '1', minor: '35' });
});

test('the audit log has every request that was answered', async () => {
  const cluster = await sharedCluster();

  await cluster.kubectl('create', 'configmap', 'seen-in-the-audit-log');

  const events = readFileSync(cluster.auditLogPath ?? '', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events).toContainEqual(
    expect.objectContaining({
      verb: 'create',
      stage: 'ResponseComplete',
      user: expect.objectContaining({ username: 'admin' }),
      objectRef: expect.objectContaining({ resource: 'configmaps', name: 'seen-in-the-audit-log' }),
    }),
  );
});

describe('a cluster of one test file', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ name: `own-${process.pid}`, nodes: 'none' });
    return () => cluster.stop();
  });

  test.each(['kube-apiserver', 'etcd'])(
    '%s comes back after SIGKILL with everything it had',
    async (server) => {
      await cluster.kubectl('create', 'configmap', `kept-${server}`);
      const before = cluster.serverPid(server);

      await cluster.kill(server);
      await cluster.awaitServer('kube-apiserver');

      expect(cluster.serverPid(server)).not.toBe(before);
      expect(await cluster.kubectl('get', 'configmap', `kept-${server}`, '-o', 'name')).toBe(
        `configmap/kept-${server}\n`,
      );
    },
  );

  test('a stopped API server stays away until it is started', async () => {
    await cluster.stopServer('kube-apiserver');

    await expect(cluster.get('/readyz')).rejects.toThrow('ECONNREFUSED');
    await cluster.startServer('kube-apiserver');
    expect(await cluster.kubectl('get', 'namespace', 'default', '-o', 'name')).toBe('namespace/default\n');
  });

  test('a second cluster of the same name is refused while the first one runs', async () => {
    await expect(startCluster({ name: cluster.name, nodes: 'none' })).rejects.toThrow(
      `a cluster "${cluster.name}" is running`,
    );
  });
});

test('two clusters side by side know nothing of each other', async () => {
  const [a, b] = await Promise.all([start('side-a'), start('side-b')]);

  await a.kubectl('create', 'configmap', 'only-here');

  expect(await b.kubectl('get', 'configmap', 'only-here', '--ignore-not-found')).toBe('');
  expect((await listClusters()).map(({ name }) => name)).toEqual(expect.arrayContaining([a.name, b.name]));
});

test('nothing is left after stop', async () => {
  const cluster = await start('stopped');
  expect(processesOf(cluster.rundir)).not.toEqual([]);

  await cluster.stop();

  expect(processesOf(cluster.rundir)).toEqual([]);
  expect(existsSync(cluster.rundir)).toBe(false);
  await expect(openCluster(cluster.name)).rejects.toThrow(`no cluster "${cluster.name}" is running`);
});

test('a cluster whose processes were all killed with SIGKILL can be started again', async () => {
  const first = await start('all-killed');
  await first.kubectl('create', 'configmap', 'of-the-first');
  for (const { shell } of Object.values(first.state.supervisors)) signal(shell.pid, 'SIGKILL');
  await waitUntil({ what: 'all is dead' }, async () => processesOf(first.rundir).length === 0);

  const second = await start('all-killed');

  expect(await second.kubectl('get', 'configmaps', '-o', 'name')).not.toContain('of-the-first');
});

test('a cluster dies with the process that started it, even if that is killed', async () => {
  const name = `orphan-${process.pid}`;
  const module = join(import.meta.dirname, '..', '..', 'cluster', 'cluster.ts');
  const code = `import { startCluster } from ${JSON.stringify(module)};
    console.log((await startCluster({ name: '${name}', nodes: 'none' })).rundir);
    setInterval(() => {}, 1000);`;
  const runner = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [rundir] = (await once(createInterface(runner.stdout), 'line')) as [string];
  expect(processesOf(rundir)).not.toEqual([]);

  runner.kill('SIGKILL');
  await waitUntil({ what: 'the cluster is dead too' }, async () => processesOf(rundir).length === 0);

  const next = await start('after-orphan'); // sweeps what the killed one has left
  expect(await readState(name)).toBeUndefined();
  expect(next.isUsable()).toBe(true);
});

test.each([['A'], ['with space'], ['../up'], ['']])('the name "%s" is refused', async (name) => {
  await expect(startCluster({ name, nodes: 'none' })).rejects.toThrow(`cluster name "${name}" is not usable`);
});

test('kubeconfig and keys can be read by their owner only', async () => {
  const { rundir } = await sharedCluster();

  const readable = execFileSync(
    'find',
    [rundir, '-perm', '/077', '-name', '*.key', '-o', '-perm', '/077', '-name', '*kubeconfig'],
    {
      encoding: 'utf8',
    },
  );

  expect(readable).toBe('');
});
