import { type Problem, problemText } from '../api/problem.ts';
import { meshDocuments, readManifestFile } from './manifest-file.ts';
import { findMeshProblems } from './mesh-problems.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/**
 * `mesh-operator validate -f FILE`: one line per problem on standard output (source, path, what is wrong, what was
 * probably meant), exit code 1 when there is any. Needs no cluster.
 */
export async function validate(file: string, terminal: Terminal): Promise<ExitCode> {
  const meshes = meshDocuments(await readManifestFile(file, terminal), file);
  let problemCount = 0;
  for (const { source, value } of meshes) {
    const problems: Problem[] = findMeshProblems(value);
    problemCount += problems.length;
    for (const problem of problems) terminal.stdout.write(`${source}: ${problemText(problem)}\n`);
    if (problems.length === 0) terminal.stderr.write(`${source}: valid\n`);
  }
  return problemCount === 0 ? exitCodes.ok : exitCodes.failed;
}
