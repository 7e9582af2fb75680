import { type Problem, problemText } from '../api/problem.ts';
import { meshDocuments, readManifestFile } from './manifest-file.ts';
import { findMeshProblems } from './mesh-problems.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** What follows `mesh-operator validate`. */
export interface ValidateOptions {
  readonly filename: string;
  readonly output: OutputFormat;
}

/** The problems of one document. */
interface ValidationReport {
  /** `mesh.yaml`, or `mesh.yaml[2]` for the second document of several. */
  readonly source: string;
  readonly problems: readonly Problem[];
}

/**
 * `mesh-operator validate -f FILE`: one line per problem on standard output (source, path, what is wrong, what was
 * probably meant), or one document, exit code 1 when there is any. Needs no cluster.
 */
export async function validate({ filename, output }: ValidateOptions, terminal: Terminal): Promise<ExitCode> {
  const meshes = meshDocuments(await readManifestFile(filename, terminal), filename);
  const reports = meshes.map(({ source, value }) => ({ source, problems: findMeshProblems(value) }));
  if (output === 'text') {
    for (const report of reports) writeReport(report, terminal);
  } else {
    writeDocument(reports, output, terminal);
  }
  return reports.every(({ problems }) => problems.length === 0) ? exitCodes.ok : exitCodes.failed;
}

function writeReport({ source, problems }: ValidationReport, terminal: Terminal): void {
  for (const problem of problems) terminal.stdout.write(`${source}: ${problemText(problem)}\n`);
  if (problems.length === 0) terminal.stderr.write(`${source}: valid\n`);
}
