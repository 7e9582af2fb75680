import packageJson from '../../package.json' with { type: 'json' };
import { systemClock } from '../base/clock.ts';
import { clusterClient, listMeshes, type MeshesOptions } from './cluster.ts';
import { ReportCollector } from './collect-report.ts';
import { writeReport } from './report-files.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** What follows `mesh-operator bug-report`. */
export interface BugReportOptions extends MeshesOptions {
  /** A folder, or a file that ends in `.tar.gz`; absent: such a file in the current folder, named after the time. */
  readonly output?: string | undefined;
}

/**
 * `mesh-operator bug-report`: gathers what helps to find a fault, redacted, in a folder or an archive, whose name it prints
 * on standard output. Throws UsageError when it cannot be written.
 */
export async function bugReport(
  options: BugReportOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const client = clusterClient(options, clock);
  const now = clock.now();
  const { kubeconfig, context } = options;
  const all = await listMeshes(client, { kubeconfig, context });
  const meshes = all.filter(
    ({ metadata }) => options.namespace === undefined || metadata.namespace === options.namespace,
  );
  if (meshes.length === 0) terminal.stderr.write('There is no MeshOperator.\n');
  const collector = new ReportCollector(client, packageJson.version, now);
  const files = await collector.collect(meshes, all, new AbortController().signal);
  const stamp = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const place = options.output ?? `mesh-operator-report-${stamp}.tar.gz`;
  await writeReport(place, files, now);
  terminal.stdout.write(`${place}\n`);
  terminal.stderr.write(
    'Look through it before you give it away: names of your workloads and hosts are in it.\n',
  );
  return exitCodes.ok;
}
