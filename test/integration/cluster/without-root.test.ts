import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../cluster/toolchain/run-command.ts';
import { ensureTools } from '../../cluster/toolchain/tools.ts';

const main = join(import.meta.dirname, '..', '..', 'cluster', 'main.ts');
const isRoot = process.getuid?.() === 0;

/** A cache with the same programs but clusters of its own. */
let cacheHome: string;

beforeAll(async () => {
  cacheHome = await mkdtemp(join(tmpdir(), 'mesh-operator-ordinary-'));
  const cache = join(cacheHome, 'mesh-operator');
  await mkdir(cache);
  const programs = await ensureTools([
    ...(['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager', 'kube-scheduler', 'kwok'] as const),
  ]);
  for (const folder of Object.values(programs).map(dirname))
    await symlink(folder, join(cache, basename(folder)));
});

afterAll(async () => {
  await asOrdinaryUser('down', 'ordinary');
  await rm(cacheHome, { recursive: true, force: true });
});

/** Runs the command line of local clusters as somebody who is not root and has no capability. */
function asOrdinaryUser(...args: readonly string[]): Promise<string> {
  const becomeOrdinary = ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--'];
  const [file = '', ...rest] = [...(isRoot ? becomeOrdinary : []), process.execPath, main, ...args];
  return run(file, rest, { env: { XDG_CACHE_HOME: cacheHome } });
}

test('a cluster with simulated nodes starts and ends', async () => {
  const shown = await asOrdinaryUser('up', 'ordinary', '--nodes', 'kwok');

  expect(shown).toContain('Cluster ordinary (nodes: kwok) is ready at https://127.200.');
  expect(await asOrdinaryUser('list')).toMatch(/^ordinary\tkwok\t/);
  await asOrdinaryUser('down', 'ordinary');
  expect(await asOrdinaryUser('list')).toBe('');
});

test('a real node is refused, with what needs root and what works without', async () => {
  await expect(asOrdinaryUser('up', 'ordinary', '--nodes', 'kubelet')).rejects.toThrow(
    'a real node (NODES=kubelet) needs root: its namespaces, containerd, kubelet and kube-proxy do. ' +
      'Without root NODES=none (API server only) and NODES=kwok (simulated nodes) work.',
  );
});
