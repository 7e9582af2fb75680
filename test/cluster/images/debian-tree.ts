import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { cacheKey, ensureCached } from '../toolchain/cache-folder.ts';
import { printProgress, withProgress } from '../toolchain/progress.ts';
import { run } from '../toolchain/run-command.ts';
import { imageArchitecture } from './oci-archive.ts';

/** Which packages of the Debian release that this machine runs a tree holds. */
export interface DebianTree {
  /** Its folder's name in the cache. */
  readonly name: string;
  /** Completes "... packages" in what is printed: what images need them for. */
  readonly purpose: string;
  /** Every package by name: dependencies are not followed. */
  readonly packages: readonly string[];
  /** Folders that are left out, relative to the root. */
  readonly without: readonly string[];
}

const mergedFolders = ['bin', 'lib', 'lib64', 'sbin'];
/** Debian 12 still packs `/lib/...`: the link to `usr/lib` must stay one, so that trees fit on each other. */
const extract = 'dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --directory "$2"';

/**
 * The folder that has the files of these packages as they lie on a Debian system, `/bin`, `/lib`, `/lib64` and `/sbin`
 * being links into `/usr`; unpacked once, then kept.
 */
export async function ensureDebianTree(tree: DebianTree): Promise<string> {
  const key = cacheKey(
    ...tree.packages,
    ...tree.without,
    extract,
    await debianCodename(),
    imageArchitecture(),
  );
  return ensureCached(tree.name, key, (folder) =>
    withProgress(printProgress, `${tree.purpose}: ${tree.packages.length} Debian packages`, () =>
      unpack(tree, folder),
    ),
  );
}

async function unpack(tree: DebianTree, root: string): Promise<void> {
  for (const folder of mergedFolders) {
    await mkdir(path.join(root, 'usr', folder), { recursive: true });
    await symlink(`usr/${folder}`, path.join(root, folder));
  }
  const downloads = await mkdtemp(path.join(path.dirname(root), 'packages-'));
  try {
    await download(tree.packages, downloads);
    for (const file of (await readdir(downloads)).sort()) {
      await run('sh', ['-c', extract, 'extract', path.join(downloads, file), root]);
    }
  } finally {
    await rm(downloads, { recursive: true, force: true });
  }
  for (const folder of tree.without) await rm(path.join(root, folder), { recursive: true, force: true });
}

async function download(packages: readonly string[], folder: string): Promise<void> {
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

async function debianCodename(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const codename = /^VERSION_CODENAME=(.+)$/m.exec(release)?.[1];
  if (codename === undefined || !/^ID(_LIKE)?=.*debian/m.test(release)) {
    throw new Error('Layers of images are made from Debian packages: run this on Debian or a relative of it');
  }
  return codename;
}
