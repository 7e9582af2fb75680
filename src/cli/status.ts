import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../api/mesh-operator-status.ts';
import { systemClock } from '../base/clock.ts';
import { adviceFor } from './advice.ts';
import { clusterClient, listMeshes, type MeshesOptions } from './cluster.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { paintFor } from './paint.ts';
import { statusText } from './status-text.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** What follows `mesh-operator status`. */
export interface StatusOptions extends MeshesOptions {
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
 * `mesh-operator status [NAME]`: each mesh on one screen, or as a document, on standard output. Exit code 1 when one is
 * not Ready.
 */
export async function status(
  options: StatusOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const reports = (await listMeshes(clusterClient(options, clock), options)).map(meshReport);
  if (options.output === 'text') {
    if (reports.length === 0) terminal.stderr.write('There is no MeshOperator.\n');
    const paint = paintFor(terminal);
    const texts = reports.map((report) => statusText(report, clock.now(), paint));
    terminal.stdout.write(texts.join('\n'));
  } else {
    writeDocument(reports, options.output, terminal);
  }
  return reports.every(isReady) ? exitCodes.ok : exitCodes.failed;
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
