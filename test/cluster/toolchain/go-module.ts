import type { GoCompiler } from './go-compiler.ts';
import { run } from './run-command.ts';

/** Go as tools/ wants it: its own version, no workspace, and a go.mod that stays as it is. */
export const goEnvironment = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', GOWORK: 'off' };

/** Where Go keeps a module that the go.mod in a folder pins; downloads it when it does not yet. */
export async function moduleFolder(go: GoCompiler, folder: string, module: string): Promise<string> {
  const options = { cwd: folder, env: goEnvironment };
  await run(go.path, ['mod', 'download', module], options);
  return (await run(go.path, ['list', '-m', '-f', '{{.Dir}}', module], options)).trim();
}

/**
 * The same for the module that has a package. A commit without a release is found by a proxy that has its files alone,
 * where `go mod download` asks when it was made as well.
 */
export async function moduleFolderOf(go: GoCompiler, folder: string, goPackage: string): Promise<string> {
  const args = ['list', '-find', '-f', '{{.Module.Dir}}', goPackage];
  return (await run(go.path, args, { cwd: folder, env: goEnvironment })).trim();
}
