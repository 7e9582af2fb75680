import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { cacheRoot } from '../toolchain/cache-folder.ts';
import { ensureGo } from '../toolchain/go-compiler.ts';
import { printProgress } from '../toolchain/progress.ts';
import { run } from '../toolchain/run-command.ts';

const appFolder = path.resolve(import.meta.dirname, '../../app');

/**
 * Builds one of our own Go programs in `test/app` as a static binary and returns its path.
 * Go's build cache makes the second build take well under a second; an unchanged program keeps its file.
 * @param folder of its package below `test/app`, such as `.` or `pause`.
 */
export async function buildOwnGoProgram(name: string, folder: string): Promise<string> {
  const go = await ensureGo(printProgress);
  const binaries = path.join(cacheRoot(), 'own-programs');
  await mkdir(binaries, { recursive: true });
  const binary = path.join(binaries, name);
  await run(
    go.path,
    ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', binary, `./${folder}`],
    {
      cwd: appFolder,
      env: { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' },
    },
  );
  return binary;
}
