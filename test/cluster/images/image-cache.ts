import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stableJson } from '../../../src/base/stable-json.ts';
import { cacheKey, cacheRoot } from '../toolchain/cache-folder.ts';
import type { LayerEntry } from './layer.ts';
import { type ImageDefinition, imageArchitecture, writeOciArchive } from './oci-archive.ts';

/** An image on this machine's disk, ready for `ctr -n k8s.io images import`. */
export interface ImageArchive {
  /** Path of the OCI archive. */
  readonly archive: string;
  /** `host/path:tag`, as pods name it. */
  readonly reference: string;
  /** Digest of the manifest (`sha256:...`): equal digests mean that an import can be skipped. */
  readonly digest: string;
}

/** Raise it when the bytes that the same definition gives have changed. */
const formatVersion = 1;
/** Archives of one image that are kept; older ones are of inputs that have changed since. */
const keptArchives = 3;
/** What was not touched for longer than this is in nobody's hands: older archives, and half-written files of a process that was killed. */
const abandonedAfterMs = 3_600_000;

/**
 * The archive of a definition, written only if none exists for the same reference, configuration and files.
 * A file on disk counts as the same while its path, size and modification time are. Safe to call from several
 * processes at once.
 */
export async function ensureArchive(name: string, definition: ImageDefinition): Promise<ImageArchive> {
  const folder = path.join(cacheRoot(), 'images', name);
  const key = await keyOf(definition);
  const archive = path.join(folder, `${key}.tar`);
  const digestFile = path.join(folder, `${key}.digest`);
  const { reference } = definition;

  const known = await readIfExists(digestFile);
  if (known !== undefined && (await exists(archive))) {
    const now = new Date();
    await utimes(archive, now, now);
    return { archive, reference, digest: known };
  }

  await mkdir(folder, { recursive: true });
  const draft = path.join(folder, `${key}.${randomUUID()}.part`);
  try {
    const digest = await writeOciArchive(definition, draft);
    await rename(draft, archive);
    await writeFile(draft, digest);
    await rename(draft, digestFile);
    await removeOldArchives(folder);
    return { archive, reference, digest };
  } finally {
    await rm(draft, { force: true });
  }
}

async function keyOf(definition: ImageDefinition): Promise<string> {
  const layers = await Promise.all(
    definition.layers.map((entries) => Promise.all(entries.map((entry) => fingerprint(entry)))),
  );
  const inputs = { ...definition, layers, architecture: imageArchitecture(), formatVersion };
  return cacheKey(stableJson(inputs));
}

async function fingerprint(entry: LayerEntry): Promise<unknown> {
  if (entry.kind !== 'copy') return entry;
  const { size, mtimeMs } = await stat(entry.source);
  return { ...entry, size, mtimeMs };
}

async function removeOldArchives(folder: string): Promise<void> {
  const aged = await Promise.all(
    (await readdir(folder)).map(async (name) => ({
      name,
      mtimeMs: await modifiedAtMs(path.join(folder, name)),
    })),
  );
  const newestFirst = aged.sort((a, b) => b.mtimeMs - a.mtimeMs);
  const archives = newestFirst.filter(({ name }) => name.endsWith('.tar'));
  const drafts = newestFirst.filter(({ name }) => !/\.(tar|digest)$/.test(name));
  const abandoned = [...archives.slice(keptArchives), ...drafts].filter(
    ({ mtimeMs }) => Date.now() - mtimeMs > abandonedAfterMs,
  );
  for (const { name } of abandoned) {
    await rm(path.join(folder, name.replace(/\.tar$/, '.digest')), { recursive: true, force: true });
    await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

/** Its time of modification; now for what another process has just removed. */
async function modifiedAtMs(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.mtimeMs ?? Date.now();
}

async function readIfExists(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function exists(file: string): Promise<boolean> {
  return (
    (await stat(file).catch((error: unknown) => (isMissing(error) ? undefined : Promise.reject(error)))) !==
    undefined
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
