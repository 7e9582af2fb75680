import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';

/** What tar says of one member; tar-stream does not export this type. */
export type TarHeader = Parameters<Pack['entry']>[0];

interface EntryPlace {
  /** Absolute path inside the image, without a trailing slash. */
  readonly path: string;
  /** Permission bits; 0o644 for files and 0o755 for directories unless given. */
  readonly mode?: number;
  /** Numeric owner; 0 unless given. */
  readonly uid?: number;
  readonly gid?: number;
}

/** One thing in a layer of an image. */
export type LayerEntry =
  | (EntryPlace & { readonly kind: 'directory' })
  | (EntryPlace & { readonly kind: 'text'; readonly text: string })
  | (EntryPlace & { readonly kind: 'copy'; readonly source: string })
  | (EntryPlace & { readonly kind: 'symlink'; readonly target: string });

/** What a registry calls a blob: its digest (`sha256:...`) and its length in bytes. */
export interface BlobDescription {
  readonly digest: string;
  readonly size: number;
}

/** A file copied from this machine's disk, executable by default: most of what we copy are programs. */
export function copiedFile(imagePath: string, source: string, mode = 0o755): LayerEntry {
  return { kind: 'copy', path: imagePath, source, mode };
}

/** A small file whose content we write ourselves. */
export function textFile(imagePath: string, text: string): LayerEntry {
  return { kind: 'text', path: imagePath, text };
}

/** Everything below a folder of this machine's disk, with its permission bits, owned by root in the image. */
export async function copiedTree(imagePath: string, folder: string): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const source = path.join(folder, name);
    const target = path.posix.join(imagePath, name);
    const found = await lstat(source);
    const mode = found.mode & 0o7777;
    if (found.isSymbolicLink()) {
      entries.push({ kind: 'symlink', path: target, target: await readlink(source) });
    } else if (found.isDirectory()) {
      entries.push({ kind: 'directory', path: target, mode }, ...(await copiedTree(target, source)));
    } else if (found.isFile()) {
      entries.push({ kind: 'copy', path: target, source, mode });
    }
  }
  return entries;
}

/**
 * Writes one uncompressed layer to `file`.
 * The same entries give the same bytes, in whatever order they come: entries are sorted, missing parent
 * directories are added, and no time of this machine is kept. A path named twice is an error.
 */
export async function writeLayer(entries: readonly LayerEntry[], file: string): Promise<BlobDescription> {
  const tar = pack();
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  await Promise.all([fill(tar, inTarOrder(entries)), pipeline(tar, measure, createWriteStream(file))]);
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/** Adds a file of this machine's disk to a tar that is being written; resolves when it is inside. */
export async function addFile(tar: Pack, header: TarHeader, source: string): Promise<void> {
  const { size } = await stat(source);
  const sink = tar.entry({ ...header, size });
  await pipeline(createReadStream(source, { highWaterMark: 1024 * 1024 }), sink);
}

/** Adds a file from memory to a tar that is being written. */
export function addText(tar: Pack, header: TarHeader, text: string): void {
  tar.entry(header, Buffer.from(text));
}

async function fill(tar: Pack, entries: readonly LayerEntry[]): Promise<void> {
  try {
    for (const entry of entries) await addEntry(tar, entry);
    tar.finalize();
  } catch (error) {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

async function addEntry(tar: Pack, entry: LayerEntry): Promise<void> {
  const header: TarHeader = {
    name: entry.path.slice(1),
    mtime: new Date(0),
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
  };
  switch (entry.kind) {
    case 'directory':
      tar.entry({ ...header, name: `${header.name}/`, type: 'directory', mode: entry.mode ?? 0o755 });
      return;
    case 'symlink':
      tar.entry({ ...header, type: 'symlink', linkname: entry.target, mode: 0o777 });
      return;
    case 'text':
      addText(tar, { ...header, mode: entry.mode ?? 0o644 }, entry.text);
      return;
    case 'copy':
      await addFile(tar, { ...header, mode: entry.mode ?? 0o644 }, entry.source);
  }
}

function inTarOrder(entries: readonly LayerEntry[]): LayerEntry[] {
  const byPath = new Map<string, LayerEntry>();
  for (const entry of entries) {
    if (!entry.path.startsWith('/') || entry.path.endsWith('/')) {
      throw new Error(`Layer entry "${entry.path}" must be an absolute path without a trailing slash`);
    }
    if (byPath.has(entry.path)) throw new Error(`Layer entry "${entry.path}" is named twice`);
    byPath.set(entry.path, entry);
  }
  for (const entry of entries) {
    for (let parent = path.posix.dirname(entry.path); parent !== '/'; parent = path.posix.dirname(parent)) {
      if (!byPath.has(parent)) byPath.set(parent, { kind: 'directory', path: parent });
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
