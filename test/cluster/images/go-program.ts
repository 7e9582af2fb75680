import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheRoot } from '../toolchain/cache-folder.ts';
import { ensureGo } from '../toolchain/go-compiler.ts';
import { printProgress } from '../toolchain/progress.ts';
import { run } from '../toolchain/run-command.ts';

const appFolder = path.resolve(import.meta.dirname, '../../app');

/**
 * Builds one of our own Go programs in `test/app` as a static binary and returns its path.
 * Go's build cache makes the second build take well under a second; an unchanged program keeps its file. Safe to call
 * from several processes at once.
 * @param folder of its package below `test/app`, such as `.` or `pause`.
 */
export async function buildOwnGoProgram(name: string, folder: string): Promise<string> {
  const go = await ensureGo(printProgress);
  const binaries = path.join(cacheRoot(), 'own-programs');
  await mkdir(binaries, { recursive: true });
  const binary = path.join(binaries, name);
  const draft = `${binary}.${randomUUID()}`;
  try {
    await run(
      go.path,
      ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', draft, `./${folder}`],
      {
        cwd: appFolder,
        env: { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' },
      },
    );
    if (!(await hasSameBytes(draft, binary))) await rename(draft, binary);
    return binary;
  } finally {
    await rm(draft, { force: true });
  }
}

async function hasSameBytes(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([readFile(one), readFile(other).catch(() => undefined)]);
  return b !== undefined && a.equals(b);
}
