import { messageOf } from '../base/errors.ts';
import { uninjectPod } from '../injection/uninject-pod.ts';
import { mapPods } from '../injection/workload-manifest.ts';
import { printManifests } from './inject.ts';
import { readManifestFile } from './manifest-file.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/**
 * `mesh-operator uninject -f FILE`: the manifests without what an injection put into their pods, on standard output.
 * Pods that were not injected and other objects pass through.
 */
export async function uninject(file: string, terminal: Terminal): Promise<ExitCode> {
  const documents = await readManifestFile(file, terminal);
  const problems: string[] = [];
  const plain = documents.map(({ source, value }) =>
    mapPods(value, ({ pod, id }) => {
      try {
        return uninjectPod(pod);
      } catch (error) {
        problems.push(`${source}: ${id}: ${messageOf(error)}\n`);
        return pod;
      }
    }),
  );
  if (problems.length > 0) {
    for (const problem of problems) terminal.stderr.write(problem);
    return exitCodes.failed;
  }
  printManifests(plain, terminal);
  return exitCodes.ok;
}
