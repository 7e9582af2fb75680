import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { systemClock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { maxFileLength } from '../pki/lint/bundle.ts';
import type { Finding } from '../pki/lint/finding.ts';
import { filesOf, istioLayout, tlsLayout } from '../pki/lint/layout.ts';
import { type LintInput, type LintReport, lintInputs } from '../pki/lint/lint-bundle.ts';
import { clusterClient } from './cluster.ts';
import { clusterBundles } from './cluster-bundles.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

/** What follows the paths of `mesh-operator ca lint`. */
export interface CaLintOptions {
  readonly output: OutputFormat;
  readonly kubeconfig?: string | undefined;
  /** Each is a cluster. */
  readonly context?: readonly string[] | undefined;
  readonly namespace?: string | undefined;
}

/**
 * `mesh-operator ca lint [PATH...]`: what is wrong with each folder or PEM file, and between them, on standard output;
 * as text with the fix of each finding, or as JSON. Without paths it looks at clusters: those of the contexts, else the
 * current one; what they have in one namespace is taken for one mesh. Exit code 1 when there is an error. Throws
 * UsageError when a path cannot be read or paths and clusters are named, and NotFoundError when a cluster has no
 * authority. Prints no key material.
 */
export async function caLint(
  paths: readonly string[],
  options: CaLintOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const { output, kubeconfig, context, namespace } = options;
  const isOfCluster = [kubeconfig, context, namespace].some((flag) => flag !== undefined);
  if (paths.length > 0 && isOfCluster) {
    throw new UsageError('Give paths, or a cluster (--kubeconfig, --context, --namespace), not both');
  }
  const meshes = paths.length > 0 ? [await readInputs(paths)] : await readClusters(options);
  const now = clock.now();
  const reports = meshes.flatMap((inputs) => lintInputs(inputs, now));
  if (output === 'text') {
    for (const report of reports) writeReport(report, terminal);
  } else {
    writeDocument(reports, output, terminal);
  }
  const isBroken = reports.some(({ findings }) => findings.some(({ severity }) => severity === 'error'));
  return isBroken ? exitCodes.failed : exitCodes.ok;
}

async function readInputs(paths: readonly string[]): Promise<LintInput[]> {
  const inputs: LintInput[] = [];
  for (const path of paths) inputs.push(await readInput(path));
  return inputs;
}

/** The authorities of all clusters, by the mesh they belong to. */
async function readClusters({ kubeconfig, context, namespace }: CaLintOptions): Promise<LintInput[][]> {
  const meshes = new Map<string, LintInput[]>();
  const contexts = [...new Set<string | undefined>(context ?? [undefined])];
  for (const cluster of contexts) {
    const client = clusterClient({ kubeconfig, context: cluster });
    for (const { input, mesh } of await clusterBundles(client, namespace)) {
      const name = contexts.length > 1 ? `${cluster}: ${input.name}` : input.name;
      meshes.set(mesh, [...(meshes.get(mesh) ?? []), { ...input, name }]);
    }
  }
  return [...meshes.values()];
}

async function readInput(path: string): Promise<LintInput> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    return isFolder
      ? { name: path, files: await readFolder(path) }
      : { name: path, text: await readStart(path) };
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${messageOf(error)}`);
  }
}

async function readFolder(path: string): Promise<Record<string, string>> {
  const known = new Set([istioLayout, tlsLayout].flatMap(filesOf));
  const names = (await readdir(path)).filter((name) => known.has(name));
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readStart(join(path, name))] as const)),
  );
}

/** As much of a file as the lint looks at, and one byte more when there is more: enough for it to say so. */
async function readStart(path: string): Promise<string> {
  return text(createReadStream(path, { end: maxFileLength, encoding: 'latin1' }));
}

function writeReport({ input, findings }: LintReport, terminal: Terminal): void {
  if (findings.length === 0) {
    terminal.stderr.write(`${input}: nothing found\n`);
    return;
  }
  const written = new Set<string>();
  const lines = findings.flatMap((finding) => findingLines(finding, written));
  terminal.stdout.write(`${[input, ...lines].join('\n')}\n`);
}

/** The same commands repair several things at times; they are written once. */
function findingLines(
  { severity, rule, where, problem, fix, commands = [] }: Finding,
  written: Set<string>,
): string[] {
  const script = commands.join('\n');
  const isRepeated = commands.length > 0 && written.has(script);
  written.add(script);
  return [
    `  ${severity} ${rule}: ${where}`,
    `    ${problem}.`,
    `    Fix: ${fix}${isRepeated ? ' The commands are those above.' : ''}`,
    ...(isRepeated ? [] : commands.map((command) => `      ${command}`)),
  ];
}
