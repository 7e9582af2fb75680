import type { GoCompiler } from './go-compiler.ts';
import { run } from './run-command.ts';

/** Go as tools/ wants it: its own version, no workspace, and a go.mod that stays as it is. */
export const goEnvironment = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', GOWORK: 'off' };

/** Where Go keeps a module that the go.mod in a folder pins; downloads it when it does not yet. */
export async function moduleFolder(go: GoCompiler, folder: string, module: string): Promise<string> {
  const output = await run(go.path, ['mod', 'download', '-json', module], {
    cwd: folder,
    env: goEnvironment,
  });
  const { Dir } = JSON.parse(output) as { Dir?: string };
  if (Dir === undefined) throw new Error(`go mod download ${module} names no folder`);
  return Dir;
}
