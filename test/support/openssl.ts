import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/toolchain/run-command.ts';

/** What real openssl prints in a folder that holds just these files. Rejects with its complaint. */
export async function openssl(
  files: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-openssl-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return await run('openssl', [...args], { cwd: folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
