import { systemClock } from '../base/clock.ts';
import { analyzeInput } from './analyze/analyze-input.ts';
import type { AnalysisFinding } from './analyze/finding.ts';
import { readCluster, readManifests } from './analyze/read-input.ts';
import { type ClusterOptions, clusterClient } from './cluster.ts';
import { readManifestFile } from './manifest-file.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { type Paint, paintFor } from './paint.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

/** What follows `mesh-operator analyze`. */
export interface AnalyzeOptions extends ClusterOptions {
  /** Absent: the cluster. */
  readonly filename?: string | undefined;
  readonly output: OutputFormat;
}

/**
 * `mesh-operator analyze [-f FILE]`: what stands against an upgrade, or has gone wrong with one, in a cluster or in
 * manifests, on standard output; each finding with its object, why, and what to do. Exit code 1 when there is an error.
 * Throws UsageError when a file and a cluster are named.
 */
export async function analyze(
  options: AnalyzeOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const { filename, kubeconfig, context, output } = options;
  if (filename !== undefined && (kubeconfig ?? context) !== undefined) {
    throw new UsageError('Give a file, or a cluster (--kubeconfig, --context), not both');
  }
  const input =
    filename === undefined
      ? await readCluster(clusterClient(options, clock), new AbortController().signal)
      : readManifests(await readManifestFile(filename, terminal));
  const findings = analyzeInput(input, clock.now());
  if (output === 'text') {
    if (findings.length === 0) terminal.stderr.write('Nothing found.\n');
    const paint = paintFor(terminal);
    for (const finding of findings) terminal.stdout.write(findingText(finding, paint));
  } else {
    writeDocument(findings, output, terminal);
  }
  return findings.some(({ severity }) => severity === 'error') ? exitCodes.failed : exitCodes.ok;
}

/** One finding, for a person. */
export function findingText({ severity, rule, object, why, fix }: AnalysisFinding, paint: Paint): string {
  const style = severity === 'error' ? 'bad' : 'doubtful';
  return `${paint(style, `${severity} ${rule}`)}: ${object}\n  ${why}.\n  Fix: ${fix}.\n`;
}
