import { join } from 'node:path';
import { ensureDebianTree } from '../cluster/images/debian-tree.ts';

/** The path of a real program of Prometheus, from Debian. */
export async function prometheusProgram(name: 'prometheus' | 'promtool'): Promise<string> {
  const tree = await ensureDebianTree({
    name: 'prometheus',
    purpose: 'Prometheus',
    packages: ['prometheus'],
    without: ['etc', 'usr/lib/systemd', 'usr/share', 'var'],
  });
  return join(tree, 'usr/bin', name);
}
