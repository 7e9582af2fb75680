import { dump } from 'js-yaml';
import type { MeshOperator } from '../api/mesh-operator.ts';
import { problemText } from '../api/problem.ts';
import { resolveMesh } from '../api/resolve.ts';
import { nothingObserved } from '../render/observed-mesh.ts';
import { renderMeshOperator } from '../render/render-mesh-operator.ts';
import { minorOf } from './kubernetes-version.ts';
import { meshDocuments, readManifestFile } from './manifest-file.ts';
import { findMeshProblems } from './mesh-problems.ts';
import { writeDocument } from './output.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

export interface RenderOptions {
  readonly filename: string;
  readonly kubernetesVersion: string;
  readonly image: string;
  /** YAML documents with the waves as comments, or one List as JSON. */
  readonly output: 'yaml' | 'json';
}

/**
 * `mesh-operator render -f FILE`: the objects of each MeshOperator in the order they would be applied, on standard
 * output. Needs no cluster, so owner references are missing. Istio's CRDs are the cluster's and not shown.
 * Problems go to standard error, with exit code 1 and no object printed.
 */
export async function render(options: RenderOptions, terminal: Terminal): Promise<ExitCode> {
  const { filename: file, image: operatorImage } = options;
  const context = { operatorImage, kubernetesMinor: minorOf(options.kubernetesVersion) };
  const meshes = meshDocuments(await readManifestFile(file, terminal), file);
  const problems = meshes.flatMap(({ source, value }) =>
    findMeshProblems(value).map((problem) => `${source}: ${problemText(problem)}\n`),
  );
  if (problems.length > 0) {
    for (const line of problems) terminal.stderr.write(line);
    return exitCodes.failed;
  }
  const waves = meshes.flatMap(({ value }) => {
    const object = value as MeshOperator;
    return renderMeshOperator(object, resolveMesh(object), nothingObserved, context);
  });
  if (options.output === 'json') {
    const items = waves.flatMap(({ objects }) => objects);
    writeDocument({ apiVersion: 'v1', kind: 'List', items }, 'json', terminal);
    return exitCodes.ok;
  }
  for (const { name, objects } of waves) {
    terminal.stdout.write(`# wave: ${name}\n`);
    for (const object of objects) terminal.stdout.write(`---\n${dump(object, { lineWidth: -1 })}`);
  }
  return exitCodes.ok;
}
