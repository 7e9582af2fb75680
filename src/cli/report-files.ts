import { createWriteStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { messageOf } from '../base/errors.ts';
import { UsageError } from './terminal.ts';

/** One file of a report. */
export interface ReportFile {
  /** Below the report, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Only their owner reads them: they tell much of a cluster. */
const fileMode = 0o600;

/**
 * Writes a report to a folder, which must be new or empty, or to an archive when the place ends in `.tar.gz` or `.tgz`.
 * Throws UsageError when it cannot be written there.
 */
export async function writeReport(place: string, files: readonly ReportFile[], now: Date): Promise<void> {
  try {
    await (isArchive(place) ? writeArchive(place, files, now) : writeFolder(place, files));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot write ${place}: ${messageOf(error)}`);
  }
}

function isArchive(place: string): boolean {
  return place.endsWith('.tar.gz') || place.endsWith('.tgz');
}

async function writeFolder(folder: string, files: readonly ReportFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) {
    throw new UsageError(`${folder} is not empty: name a new folder, or a file that ends in .tar.gz`);
  }
  for (const { path, text } of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode: fileMode });
  }
}

async function writeArchive(place: string, files: readonly ReportFile[], now: Date): Promise<void> {
  const archive = pack();
  const written = pipeline(archive, createGzip(), createWriteStream(place, { mode: fileMode, flags: 'wx' }));
  for (const { path, text } of files) {
    archive.entry({ name: `mesh-operator-report/${path}`, mode: fileMode, mtime: now }, text);
  }
  archive.finalize();
  await written;
}
