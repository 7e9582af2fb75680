import { join } from 'node:path';
import { istioVersions } from '../../../src/api/versions.ts';
import { ensureGo } from './go-compiler.ts';
import { moduleFolder } from './go-module.ts';
import { toolsFolder } from './go-tool.ts';
import { type Progress, printProgress, withProgress } from './progress.ts';

/** Published Go modules that facts of Istio are read from. */
export type IstioModule = 'istio.io/istio' | 'istio.io/api';

/** Folder in tools/ whose go.mod pins the modules of an Istio minor; what is built is built from the newest. */
export function istioPins(minor: string): string {
  return minor === istioVersions[0].minor ? 'istio' : `istio-${minor}`;
}

/** Folder with the files of a module as it is in an Istio minor; downloads it when it is missing. */
export async function ensureIstioSource(
  minor: string,
  module: IstioModule,
  progress: Progress = printProgress,
): Promise<string> {
  const go = await ensureGo(progress);
  return withProgress(progress, `Reading Go module ${module} of Istio ${minor}`, () =>
    moduleFolder(go, join(toolsFolder, istioPins(minor)), module),
  );
}
