import path from 'node:path';
import { ensureDebianTree } from '../cluster/images/debian-tree.ts';

/** redis-server with the libraries that it needs beside glibc, unpacked and not installed: nothing starts by itself. */
export async function ensureRedis(): Promise<{ readonly program: string; readonly libraries: string }> {
  const root = await ensureDebianTree({
    name: 'redis',
    purpose: 'redis for Argo CD',
    packages: [
      ...['redis-server', 'redis-tools', 'libatomic1', 'libjemalloc2', 'liblzf1', 'libssl3', 'libsystemd0'],
      ...['libcap2', 'libgcrypt20', 'libgpg-error0', 'liblz4-1', 'liblzma5', 'libzstd1'],
      ...['libgcc-s1', 'libstdc++6'],
    ],
    without: ['etc', 'usr/share', 'var'],
  });
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return {
    program: path.join(root, 'usr/bin/redis-server'),
    libraries: path.join(root, 'usr/lib', triplet),
  };
}
