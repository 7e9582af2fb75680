import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../api/mesh-operator-status.ts';
import { systemClock } from '../base/clock.ts';
import { adviceFor } from './advice.ts';
import { clusterClient, listMeshes, type MeshesOptions } from './cluster.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { type Paint, paintFor } from './paint.ts';
import { type RemotesReport, remotesText } from './remotes-text.ts';
import { statusText } from './status-text.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** What follows `mesh-operator status`. */
export interface StatusOptions extends MeshesOptions {
  /** Of the meshes' other clusters alone. */
  readonly remotes?: boolean | undefined;
  readonly output: OutputFormat;
}

/** A mesh as its status has it. */
export interface MeshReport {
  readonly namespace: string;
  readonly name: string;
  /** False while the operator has not come to a conclusion about the spec as it is. */
  readonly isSpecObserved: boolean;
  readonly isBeingDeleted: boolean;
  readonly status: MeshOperatorStatus;
  /** What a person can do: sentences that begin with the reason of a condition. */
  readonly advice: readonly string[];
}

/**
 * `mesh-operator status [NAME]`: each mesh on one screen, or as a document, on standard output; with `remotes` a table of
 * its other clusters instead. Exit code 1 when a mesh, or one of these clusters, is not Ready.
 */
export async function status(
  options: StatusOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const meshes = await listMeshes(clusterClient(options, clock), options);
  const { output } = options;
  if (options.remotes === true) {
    const reports = meshes.map(remotesReport);
    write(reports, remotesText, output, terminal);
    const remotes = reports.flatMap((report) => report.remotes);
    return remotes.every(({ state }) => state === 'Ready') ? exitCodes.ok : exitCodes.failed;
  }
  const reports = meshes.map(meshReport);
  write(reports, (report, paint) => statusText(report, clock.now(), paint), output, terminal);
  return reports.every(isReady) ? exitCodes.ok : exitCodes.failed;
}

function write<Report>(
  reports: readonly Report[],
  textOf: (report: Report, paint: Paint) => string,
  output: OutputFormat,
  terminal: Terminal,
): void {
  if (output !== 'text') {
    writeDocument(reports, output, terminal);
    return;
  }
  if (reports.length === 0) terminal.stderr.write('There is no MeshOperator.\n');
  const paint = paintFor(terminal);
  terminal.stdout.write(reports.map((report) => textOf(report, paint)).join('\n'));
}

function remotesReport({ metadata, status }: KubernetesObject): RemotesReport {
  const { remotes = [] } = (status ?? {}) as MeshOperatorStatus;
  return { namespace: metadata.namespace ?? '', name: metadata.name, remotes };
}

/** Takes it out of the object. */
export function meshReport({ metadata, status }: KubernetesObject): MeshReport {
  const known = (status ?? {}) as MeshOperatorStatus;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    isSpecObserved: known.observedGeneration === metadata.generation,
    isBeingDeleted: metadata.deletionTimestamp !== undefined,
    status: known,
    advice: adviceFor(known.conditions ?? []),
  };
}

function isReady({ status }: MeshReport): boolean {
  return status.state === 'Ready';
}
