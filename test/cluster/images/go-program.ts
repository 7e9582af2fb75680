import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './image-cache.ts';

const run = promisify(execFile);
const appFolder = path.resolve(import.meta.dirname, '../../app');

/**
 * Builds one of our own Go programs in `test/app` as a static binary and returns its path.
 * Go's build cache makes the second build take well under a second, and equal bytes keep their file.
 * @param folder of its package below `test/app`, such as `.` or `pause`.
 */
export async function buildOwnGoProgram(name: string, folder: string): Promise<string> {
  const binaries = cacheFolder('own-programs');
  await mkdir(binaries, { recursive: true });
  const binary = path.join(binaries, name);
  await run(
    'go',
    ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', binary, `./${folder}`],
    {
      cwd: appFolder,
      env: { ...process.env, CGO_ENABLED: '0' },
    },
  );
  return binary;
}
