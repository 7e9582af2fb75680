import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { cacheKey, ensureCached } from '../toolchain/cache-folder.ts';
import { printProgress, withProgress } from '../toolchain/progress.ts';
import { run } from '../toolchain/run-command.ts';
import { copiedTree, type LayerEntry, textFile } from './layer.ts';
import { imageArchitecture } from './oci-archive.ts';

/** What a program linked to glibc and libstdc++ needs, and the public roots. */
const packages = ['libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates'];
const mergedFolders = ['bin', 'lib', 'lib64', 'sbin'];
const unneededFolders = ['usr/share/doc', 'usr/share/lintian', 'usr/share/man', 'usr/sbin'];

/**
 * The lowest layer of images whose programs need glibc: our stand-in for `debian:bookworm-slim` on a machine
 * without a registry. Made once from Debian packages of the release this machine runs, then kept.
 */
export async function debianBaseLayer(): Promise<LayerEntry[]> {
  const root = await ensureUnpackedPackages();
  return [
    ...(await copiedTree('/', root)),
    textFile('/etc/ssl/certs/ca-certificates.crt', await publicRoots(root)),
    ...accountFiles(),
    textFile('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
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

async function ensureUnpackedPackages(): Promise<string> {
  const key = cacheKey(...packages, ...unneededFolders, await debianCodename(), imageArchitecture());
  return ensureCached('debian-base', key, (folder) =>
    withProgress(printProgress, `base layer of images: ${packages.length} Debian packages`, () =>
      unpack(folder),
    ),
  );
}

async function unpack(root: string): Promise<void> {
  for (const folder of mergedFolders) {
    await mkdir(path.join(root, 'usr', folder), { recursive: true });
    await symlink(`usr/${folder}`, path.join(root, folder));
  }
  const downloads = await mkdtemp(path.join(path.dirname(root), 'packages-'));
  try {
    await download(downloads);
    for (const file of (await readdir(downloads)).sort()) {
      await run('dpkg-deb', ['--extract', path.join(downloads, file), root]);
    }
  } finally {
    await rm(downloads, { recursive: true, force: true });
  }
  for (const folder of unneededFolders) await rm(path.join(root, folder), { recursive: true, force: true });
}

async function download(folder: string): Promise<void> {
  // apt drops to the user _apt for downloads, who cannot write to our folder.
  const args = ['download', '--option=APT::Sandbox::User=root', ...packages];
  try {
    await run('apt-get', args, { cwd: folder });
  } catch {
    // A fresh machine knows no package lists yet; a second failure is reported as it is.
    await run('apt-get', ['update']);
    await run('apt-get', args, { cwd: folder });
  }
}

async function publicRoots(root: string): Promise<string> {
  const folder = path.join(root, 'usr/share/ca-certificates/mozilla');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.crt')).sort();
  const texts = await Promise.all(files.map((name) => readFile(path.join(folder, name), 'utf8')));
  return texts.join('');
}

async function debianCodename(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const codename = /^VERSION_CODENAME=(.+)$/m.exec(release)?.[1];
  if (codename === undefined || !/^ID(_LIKE)?=.*debian/m.test(release)) {
    throw new Error(
      'The base layer of images is made from Debian packages: run this on Debian or a relative of it',
    );
  }
  return codename;
}
