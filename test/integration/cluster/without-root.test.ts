import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cacheRoot } from '../../cluster/toolchain/cache-folder.ts';
import { run } from '../../cluster/toolchain/run-command.ts';
import { ensureTools } from '../../cluster/toolchain/tools.ts';

const repository = join(import.meta.dirname, '..', '..', '..');
const main = join(repository, 'test', 'cluster', 'main.ts');
const nobody = 65534;
const isRoot = process.getuid?.() === 0;

/** What an ordinary user needs: a copy of the programs, since it may not look into another user's cache. */
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'mesh-operator-nobody-'));
  const tools = [
    'etcd',
    'kube-apiserver',
    'kubectl',
    'kube-controller-manager',
    'kube-scheduler',
    'kwok',
  ] as const;
  await ensureTools(tools);
  const cache = join(home, '.cache', 'mesh-operator');
  await run('mkdir', ['-p', cache]);
  for (const entry of await readdir(cacheRoot())) {
    if (tools.some((tool) => entry.startsWith(`${tool}-`))) {
      await run('cp', ['-r', '--reflink=auto', '--link', join(cacheRoot(), entry), cache]);
    }
  }
  for (const folder of [home, join(home, '.cache'), cache]) if (isRoot) await chown(folder, nobody, nobody);
});

afterAll(() => rm(home, { recursive: true, force: true }));

function asNobody(...args: readonly string[]): Promise<string> {
  const drop = ['--reuid', `${nobody}`, '--regid', `${nobody}`, '--clear-groups', '--bounding-set', '-all'];
  const env = { HOME: home, XDG_CACHE_HOME: join(home, '.cache') };
  const command = [...(isRoot ? ['setpriv', ...drop, '--'] : []), process.execPath, main, ...args];
  return run(command[0] ?? '', command.slice(1), { env, cwd: '/' });
}

test('a cluster with simulated nodes starts and ends', async () => {
  const shown = await asNobody('up', 'ordinary', '--nodes', 'kwok');

  expect(shown).toContain('Cluster ordinary (nodes: kwok) is ready at https://127.200.');
  expect(await asNobody('list')).toMatch(/^ordinary\tkwok\t/);
  await asNobody('down', 'ordinary');
  expect(await asNobody('list')).toBe('');
});

test('a real node is refused, with what needs root and what works without', async () => {
  await expect(asNobody('up', 'ordinary', '--nodes', 'kubelet')).rejects.toThrow(
    'a real node (NODES=kubelet) needs root: its namespaces, containerd, kubelet and kube-proxy do. ' +
      'Without root NODES=none (API server only) and NODES=kwok (simulated nodes) work.',
  );
});
