import type { MeshOperator } from '../api/mesh-operator.ts';
import { type Problem, problemText } from '../api/problem.ts';
import { validateMeshOperator } from '../api/validate.ts';
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

type Document = ReturnType<typeof meshDocuments>[number];

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
  // Asked for while the file is read and rendered.
  const differ = openDiffer(options, clock);
  differ.catch(() => undefined);
  const documents = await readDocuments(options.filename, terminal);
  const diffs = await diffEach(differ, documents).catch((error: unknown) => {
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

/** What is in the file; its shape is checked, and what shows when objects are made is not yet. */
async function readDocuments(file: string, terminal: Terminal): Promise<Document[]> {
  const documents = meshDocuments(await readManifestFile(file, terminal), file);
  refuse(documents.flatMap((document) => textsOf(document, validateMeshOperator(document.value))));
  return documents;
}

function textsOf({ source }: Document, problems: readonly Problem[]): string[] {
  return problems.map((problem) => `${source}: ${problemText(problem)}`);
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
}

async function openDiffer(options: DiffOptions, clock: typeof systemClock): Promise<MeshDiffer> {
  const client = clusterClient(options, clock);
  const { signal } = new AbortController();
  const [operatorImage, kubernetesMinor, meshes] = await Promise.all([
    options.image ?? operatorImageOf(client, signal),
    client.serverMinor(signal),
    listMeshes(client, {}),
  ]);
  const context = { operatorImage, kubernetesMinor };
  return new MeshDiffer({ client, clock, meshes, context });
}

async function diffEach(opening: Promise<MeshDiffer>, documents: readonly Document[]): Promise<MeshDiff[]> {
  const differ = await opening;
  const { signal } = new AbortController();
  const diffs: MeshDiff[] = [];
  for (const document of documents) {
    const refuseProblems = () => refuse(textsOf(document, findMeshProblems(document.value)));
    try {
      const found = await differ.diff(document.value as MeshOperator, signal);
      if (found.changes.some(({ action }) => action === 'refuse')) refuseProblems();
      diffs.push(found);
    } catch (error) {
      refuseProblems();
      throw error;
    }
  }
  return diffs;
}
