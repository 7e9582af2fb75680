import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/toolchain/run-command.ts';

/** What is in a folder, by the names of the files, after a shell has run these lines in it one after the other. */
export async function filesAfter(
  files: Readonly<Record<string, string>>,
  lines: readonly string[],
): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-shell-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await run('sh', ['-eu', '-c', lines.join('\n')], { cwd: folder });
    const names = await readdir(folder);
    return Object.fromEntries(
      await Promise.all(
        names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const),
      ),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
