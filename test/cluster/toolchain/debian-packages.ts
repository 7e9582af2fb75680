import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type Progress, printProgress, withProgress } from './progress.ts';
import { run } from './run-command.ts';

/** What needs system programs: wheels and archives, native npm packages, every cluster, one with a real node, or Argo CD. */
export type PackageSet = 'python' | 'compiler' | 'cluster' | 'node' | 'argo-cd';

interface SystemProgram {
  /** The Debian package that has it. */
  readonly package: string;
  /** A program looked for in PATH, or an absolute path. */
  readonly file: string;
}

const programs: Readonly<Record<PackageSet, readonly SystemProgram[]>> = {
  python: [
    { package: 'python3', file: 'python3' },
    { package: 'python3-pip', file: 'pip3' },
    { package: 'ca-certificates', file: '/etc/ssl/certs/ca-certificates.crt' },
  ],
  compiler: [
    { package: 'gcc', file: 'gcc' },
    { package: 'libc6-dev', file: '/usr/include/stdio.h' },
    { package: 'python3-venv', file: '/usr/share/doc/python3-venv' },
  ],
  cluster: [
    { package: 'openssl', file: 'openssl' },
    { package: 'util-linux', file: 'setpriv' },
  ],
  node: [
    { package: 'containerd', file: 'containerd' },
    { package: 'runc', file: 'runc' },
    { package: 'containernetworking-plugins', file: '/usr/lib/cni/ptp' },
    { package: 'nftables', file: 'nft' },
    { package: 'iproute2', file: 'ip' },
    { package: 'iptables', file: 'iptables' }, // the portmap CNI plugin calls it
    { package: 'util-linux', file: 'unshare' },
    { package: 'util-linux', file: 'nsenter' },
    { package: 'mount', file: 'mount' },
  ],
  'argo-cd': [{ package: 'git', file: 'git' }],
};

const systemPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * Installs the Debian packages of the sets that are missing, with one `apt-get update` at most.
 * Throws, naming the packages and what needs them, when something is missing and this is not root on Debian.
 */
export async function ensureDebianPackages(
  sets: readonly PackageSet[],
  progress: Progress = printProgress,
): Promise<void> {
  const missing = await findMissingPackages(sets);
  if (missing.length === 0) return;
  const list = missing.join(' ');
  if (process.getuid?.() !== 0 || !(await exists('/usr/bin/apt-get'))) {
    throw new Error(
      `these system packages are missing for "${sets.join(', ')}": ${list}. ` +
        `Installing them needs root on Debian: apt-get install --no-install-recommends ${list}`,
    );
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await withProgress(progress, `Debian packages: ${missing.length} to install (${list})`, async () => {
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env });
  });
}

/** The Debian packages of the sets whose files are not on this machine, each once. */
export async function findMissingPackages(sets: readonly PackageSet[]): Promise<string[]> {
  const missing = new Set<string>();
  for (const program of sets.flatMap((set) => programs[set])) {
    if (!(await isInstalled(program.file))) missing.add(program.package);
  }
  return [...missing];
}

async function isInstalled(file: string): Promise<boolean> {
  if (file.startsWith('/')) return exists(file);
  const folders = [...(process.env.PATH ?? '').split(':').filter((folder) => folder !== ''), ...systemPath];
  for (const folder of folders) if (await exists(join(folder, file))) return true;
  return false;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
