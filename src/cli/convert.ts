import { dump } from 'js-yaml';
import type { JsonObject } from '../api/resolved-mesh.ts';
import { messageOf, TerminalError } from '../base/errors.ts';
import type { Loss } from '../convert/conversion.ts';
import { convertDocuments } from '../convert/convert.ts';
import type { ChartName, SourceName } from '../convert/source-names.ts';
import { readManifestFile } from './manifest-file.ts';
import { findMeshProblems } from './mesh-problems.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

export interface ConvertOptions {
  readonly filename: string;
  readonly from?: SourceName | undefined;
  readonly chart?: ChartName | undefined;
  readonly release?: string | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * `mesh-operator convert -f FILE`: what other tools install Istio by as MeshOperators, on standard output, and one line on
 * standard error for each setting that they do not have, with the reason. Exit code 1 when there is such a line: whoever
 * relies on the mesh must have read it. What is printed is valid in any case.
 */
export async function convert(options: ConvertOptions, terminal: Terminal): Promise<ExitCode> {
  const documents = await readManifestFile(options.filename, terminal);
  const converted = convertOrComplain(documents, options);
  terminal.stdout.write(converted.map(({ mesh }) => meshText(mesh)).join('---\n'));
  const losses = converted.flatMap((mesh) => mesh.losses);
  for (const loss of losses) terminal.stderr.write(`${lossText(loss)}\n`);
  return losses.length === 0 ? exitCodes.ok : exitCodes.failed;
}

function convertOrComplain(
  documents: Awaited<ReturnType<typeof readManifestFile>>,
  { from, chart, release, name, namespace }: ConvertOptions,
) {
  const isHelm = from === 'helm-values';
  if (!isHelm && (chart !== undefined || release !== undefined)) {
    throw new UsageError('--chart and --release are for --from helm-values');
  }
  try {
    const findProblems = findMeshProblems;
    return convertDocuments(documents, { from, chart, release, name, namespace, findProblems });
  } catch (error) {
    if (error instanceof TerminalError) throw new UsageError(messageOf(error));
    throw error;
  }
}

/** A MeshOperator as YAML, in the order in which a person reads it. */
export function meshText(mesh: JsonObject): string {
  return dump(mesh, { lineWidth: -1, noRefs: true });
}

/** `iop.yaml: spec.components.cni: why, and what to do`. */
export function lossText({ source, path, reason }: Loss): string {
  return [source, path, reason].filter((part) => part !== '').join(': ');
}
