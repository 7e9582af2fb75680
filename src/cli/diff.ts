import type { MeshOperator } from '../api/mesh-operator.ts';
import { problemText } from '../api/problem.ts';
import { systemClock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { type ClusterOptions, clusterClient, listMeshes } from './cluster.ts';
import { type MeshDiff, MeshDiffer } from './diff-mesh.ts';
import { diffText } from './diff-text.ts';
import { meshDocuments, readManifestFile } from './manifest-file.ts';
import { findMeshProblems } from './mesh-problems.ts';
import { operatorImageOf } from './operator-image.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { paintFor } from './paint.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

/** What follows `mesh-operator diff`. */
export interface DiffOptions extends ClusterOptions {
  readonly filename: string;
  /** The operator's own image; absent: that of the operator in the cluster. */
  readonly image?: string | undefined;
  readonly output: OutputFormat;
}

/**
 * `mesh-operator diff -f FILE`: what the operator would create, change and prune, were the file applied, on standard
 * output. Writes nothing. Exit code 0 when there is no difference, 1 when there is one, and 2 for whatever keeps it from
 * telling (UsageError): as of `diff` itself.
 */
export async function diff(options: DiffOptions, terminal: Terminal, clock = systemClock): Promise<ExitCode> {
  const meshes = await readMeshes(options.filename, terminal);
  const diffs = await ask(meshes, options, clock).catch((error: unknown) => {
    throw new UsageError(messageOf(error));
  });
  if (options.output === 'text') {
    const paint = paintFor(terminal);
    for (const found of diffs) terminal.stdout.write(diffText(found, paint));
  } else {
    writeDocument(diffs, options.output, terminal);
  }
  return diffs.every(({ changes }) => changes.every(({ action }) => action === 'leave'))
    ? exitCodes.ok
    : exitCodes.failed;
}

async function readMeshes(file: string, terminal: Terminal): Promise<MeshOperator[]> {
  const documents = meshDocuments(await readManifestFile(file, terminal), file);
  const problems = documents.flatMap(({ source, value }) =>
    findMeshProblems(value).map((problem) => `${source}: ${problemText(problem)}`),
  );
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return documents.map(({ value }) => value as MeshOperator);
}

async function ask(
  wanted: readonly MeshOperator[],
  options: DiffOptions,
  clock: typeof systemClock,
): Promise<MeshDiff[]> {
  const client = clusterClient(options, clock);
  const { signal } = new AbortController();
  const [operatorImage, kubernetesMinor, meshes] = await Promise.all([
    options.image ?? operatorImageOf(client, signal),
    client.serverMinor(signal),
    listMeshes(client, {}),
  ]);
  const context = { operatorImage, kubernetesMinor };
  const differ = new MeshDiffer({ client, clock, meshes, context });
  const diffs: MeshDiff[] = [];
  for (const mesh of wanted) diffs.push(await differ.diff(mesh, signal));
  return diffs;
}
