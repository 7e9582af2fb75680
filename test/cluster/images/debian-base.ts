import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureDebianTree } from './debian-tree.ts';
import { copiedTree, type LayerEntry, textFile } from './layer.ts';

/**
 * The lowest layer of images whose programs need glibc and libstdc++, with the public roots: our stand-in for
 * `debian:bookworm-slim` on a machine without a registry.
 */
export async function debianBaseLayer(): Promise<LayerEntry[]> {
  const root = await ensureDebianTree({
    name: 'debian-base',
    purpose: 'base layer of images',
    packages: ['libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates'],
    without: ['usr/share/doc', 'usr/share/lintian', 'usr/share/man', 'usr/sbin'],
  });
  return [
    ...(await copiedTree('/', root)),
    textFile('/etc/ssl/certs/ca-certificates.crt', await publicRoots(root)),
    ...accountFiles(),
    textFile('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
    { kind: 'directory', path: '/run' },
    { kind: 'directory', path: '/tmp', mode: 0o1777 },
    { kind: 'directory', path: '/var/tmp', mode: 0o1777 },
    { kind: 'directory', path: '/root', mode: 0o700 },
  ];
}

/** `/etc/passwd` and `/etc/group` with root, nobody, and the users that our images run as. */
export function accountFiles(): LayerEntry[] {
  const users = [
    { name: 'root', id: 0, home: '/root' },
    { name: 'istio-proxy', id: 1337, home: '/' },
    { name: 'nobody', id: 65534, home: '/' },
    { name: 'nonroot', id: 65532, home: '/' },
  ];
  return [
    textFile(
      '/etc/passwd',
      users.map(({ name, id, home }) => `${name}:x:${id}:${id}::${home}:/bin/false\n`).join(''),
    ),
    textFile('/etc/group', users.map(({ name, id }) => `${name}:x:${id}:\n`).join('')),
  ];
}

async function publicRoots(root: string): Promise<string> {
  const folder = path.join(root, 'usr/share/ca-certificates/mozilla');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.crt')).sort();
  const texts = await Promise.all(files.map((name) => readFile(path.join(folder, name), 'utf8')));
  return texts.join('');
}
