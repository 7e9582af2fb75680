import { fileURLToPath } from 'node:url';
import { ensureGo } from '../../test/cluster/toolchain/go-compiler.ts';
import { printProgress, withProgress } from '../../test/cluster/toolchain/progress.ts';
import { run } from '../../test/cluster/toolchain/run-command.ts';

const toolsFolder = fileURLToPath(new URL('../../tools/istio', import.meta.url));

/** The go.mod that pins which Istio everything here is read from. */
export const istioGoMod = fileURLToPath(new URL('../../tools/istio/go.mod', import.meta.url));

/** Folder with the files of a module at the version that tools/istio/go.mod pins; downloads it when it is missing. */
export async function moduleFolder(module: string): Promise<string> {
  const go = await ensureGo(printProgress);
  const output = await withProgress(printProgress, `Reading Go module ${module}`, () =>
    run(go.path, ['mod', 'download', '-json', module], {
      cwd: toolsFolder,
      env: { GOTOOLCHAIN: 'local' },
    }),
  );
  const { Dir } = JSON.parse(output) as { Dir?: string };
  if (Dir === undefined) throw new Error(`go mod download ${module} names no folder`);
  return Dir;
}
