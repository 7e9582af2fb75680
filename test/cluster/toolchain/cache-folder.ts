import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where everything that is built or downloaded is kept: outside git, shared by every clone of this user. */
export function cacheRoot(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'mesh-operator');
}

/** First 16 hexadecimal digits of a SHA-256 over the parts; a part's end counts, so `ab`,`c` differs from `a`,`bc`. */
export function cacheKey(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/**
 * The folder `<cacheRoot>/<thing>-<key>`, filled by `fill` if it does not exist yet.
 * `fill` works in a folder of its own that is renamed when it succeeds, so that a killed or
 * concurrent run never leaves or sees half a result.
 */
export async function ensureCached(
  thing: string,
  key: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheRoot(), `${thing}-${key}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial-${process.pid}`;
  await mkdir(dirname(partial), { recursive: true });
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  try {
    await fill(partial);
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (existsSync(folder)) return folder; // someone else finished the same thing first
    throw error;
  }
  return folder;
}
