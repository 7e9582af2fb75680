import { join } from 'node:path';
import { istioVersions } from '../../../src/api/versions.ts';
import { ensureGo } from './go-compiler.ts';
import { moduleFolderOf } from './go-module.ts';
import { toolsFolder } from './go-tool.ts';
import { type Progress, printProgress, withProgress } from './progress.ts';

/** Published Go modules that facts of Istio are read from, each with a package that it has. */
const modules = {
  'istio.io/istio': 'istio.io/istio/manifests',
  'istio.io/api': 'istio.io/api/mesh/v1alpha1',
  'sigs.k8s.io/gateway-api': 'sigs.k8s.io/gateway-api/apis/v1',
};

/** Folder in tools/ whose go.mod pins the modules of an Istio minor; what is built is built from the newest. */
export function istioPins(minor: string): string {
  return minor === istioVersions[0].minor ? 'istio' : `istio-${minor}`;
}

/** Folder with the files of a module as it is in an Istio minor; downloads it when it is missing. */
export async function ensureIstioSource(
  minor: string,
  module: keyof typeof modules,
  progress: Progress = printProgress,
): Promise<string> {
  const go = await ensureGo(progress);
  return withProgress(progress, `Reading Go module ${module} of Istio ${minor}`, () =>
    moduleFolderOf(go, join(toolsFolder, istioPins(minor)), modules[module]),
  );
}
