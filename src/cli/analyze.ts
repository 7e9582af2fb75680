import { type Clock, systemClock } from '../base/clock.ts';
import { analyzeCluster, analyzeClusters } from './analyze/analyze-clusters.ts';
import { analyzeInput, errorsFirst } from './analyze/analyze-input.ts';
import type { AnalysisFinding } from './analyze/finding.ts';
import { readManifests } from './analyze/read-input.ts';
import { clusterClient } from './cluster.ts';
import { readManifestFile } from './manifest-file.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { type Paint, paintFor } from './paint.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

/** What follows `mesh-operator analyze`. */
export interface AnalyzeOptions {
  /** Absent: the cluster. */
  readonly filename?: string | undefined;
  readonly kubeconfig?: string | undefined;
  /** Each is a cluster; several are those of one mesh. */
  readonly context?: readonly string[] | undefined;
  /** Also compare with the other clusters of its meshes. */
  readonly remotes?: boolean | undefined;
  readonly output: OutputFormat;
}

/**
 * `mesh-operator analyze [-f FILE]`: what stands against an upgrade, or has gone wrong with one, in a cluster or in
 * manifests, and where the clusters of a mesh are not alike, on standard output; each finding with its object, why, and
 * what to do. Exit code 1 when there is an error. Throws UsageError when a file and a cluster are named.
 */
export async function analyze(
  options: AnalyzeOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const { output } = options;
  const findings = errorsFirst(await findAll(options, terminal, clock));
  if (output === 'text') {
    if (findings.length === 0) terminal.stderr.write('Nothing found.\n');
    const paint = paintFor(terminal);
    for (const finding of findings) terminal.stdout.write(findingText(finding, paint));
  } else {
    writeDocument(findings, output, terminal);
  }
  return findings.some(({ severity }) => severity === 'error') ? exitCodes.failed : exitCodes.ok;
}

async function findAll(
  { filename, kubeconfig, context, remotes = false }: AnalyzeOptions,
  terminal: Terminal,
  clock: Clock,
): Promise<AnalysisFinding[]> {
  const contexts = [...new Set<string | undefined>(context ?? [undefined])];
  if (filename !== undefined) {
    if (kubeconfig !== undefined || context !== undefined || remotes) {
      throw new UsageError('Give a file, or a cluster (--kubeconfig, --context, --remotes), not both');
    }
    return analyzeInput(readManifests(await readManifestFile(filename, terminal)), clock.now());
  }
  if (remotes && contexts.length > 1) {
    throw new UsageError('Give several contexts, or --remotes for the other clusters of one, not both');
  }
  const { signal } = new AbortController();
  const clients = contexts.map((name) => ({
    name: name ?? 'this cluster',
    client: clusterClient({ kubeconfig, context: name }, clock),
  }));
  const [first] = clients;
  return first !== undefined && clients.length === 1
    ? analyzeCluster(first.client, remotes, clock, signal)
    : analyzeClusters(clients, clock, signal);
}

/** One finding, for a person. */
export function findingText({ severity, rule, object, why, fix }: AnalysisFinding, paint: Paint): string {
  const style = severity === 'error' ? 'bad' : 'doubtful';
  return `${paint(style, `${severity} ${rule}`)}: ${object}\n  ${why}.\n  Fix: ${fix}.\n`;
}
