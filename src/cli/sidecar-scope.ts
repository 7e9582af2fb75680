import { dump } from 'js-yaml';
import { httpAddress } from '../api/spec/field-format.ts';
import { systemClock } from '../base/clock.ts';
import { TerminalError } from '../base/errors.ts';
import { parseDurationMs } from '../config/parse-setting.ts';
import { type ClusterOptions, clusterClient } from './cluster.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { paintFor } from './paint.ts';
import { readScopeCluster, readTraffic } from './sidecar-scope/read-scope-input.ts';
import type { SuggestOptions } from './sidecar-scope/scope-options.ts';
import { scopeText } from './sidecar-scope/scope-text.ts';
import { type ScopeReport, suggestScopes } from './sidecar-scope/suggest-scopes.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

/** What follows `mesh-operator analyze --sidecar-scope`. */
export interface SidecarScopeOptions extends ClusterOptions, SuggestOptions {
  /** Refused: nothing tells the calls of a file. */
  readonly filename?: string | undefined;
  /** Address of a Prometheus. */
  readonly prometheus?: string | undefined;
  /** Go duration. */
  readonly window: string;
  readonly output: OutputFormat;
}

/**
 * `mesh-operator analyze --sidecar-scope`: Istio's Sidecar resources by what workloads call, with what each would change; as
 * YAML the Sidecars alone, ready to apply, and the rest on standard error. Writes nothing to the cluster. Throws UsageError
 * for options that it cannot go by, and TransientError when the Prometheus cannot be asked or has no metric of a sidecar.
 */
export async function sidecarScope(
  options: SidecarScopeOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const { filename, output } = options;
  if (filename !== undefined) throw new UsageError('--sidecar-scope looks at a cluster: leave out -f');
  const address = prometheusAddress(options.prometheus);
  const windowMs = windowOf(options.window);
  const { signal } = new AbortController();
  const traffic = await readTraffic(address, windowMs, clock.now(), signal);
  if (traffic.workloads.length === 0) {
    throw new TerminalError(
      `The Prometheus at ${address} has no metric of a sidecar in the last ${options.window} (istio_requests_total, istio_tcp_connections_opened_total): have it scrape the proxies, or give a longer --window`,
      { reason: 'NoMetrics' },
    );
  }
  const cluster = await readScopeCluster(clusterClient(options, clock), signal);
  const report = suggestScopes(cluster, traffic, options);
  if (output === 'yaml') writeSidecars(report, terminal);
  else if (output === 'json')
    writeDocument({ from: traffic.from, to: traffic.to, ...report }, output, terminal);
  else terminal.stdout.write(scopeText(report, traffic, paintFor(terminal)));
  return exitCodes.ok;
}

function writeSidecars({ suggestions, refusals }: ScopeReport, terminal: Terminal): void {
  for (const { sidecar } of suggestions) {
    terminal.stdout.write(`---\n${dump(sidecar, { lineWidth: -1, noRefs: true })}`);
  }
  const remarks = [
    ...suggestions.flatMap(({ sidecar, namespace, doubts }) =>
      doubts.map((doubt) => `Sidecar ${namespace}/${sidecar.metadata.name} is doubtful: ${doubt}`),
    ),
    ...refusals.map(
      ({ namespace, workloads, why }) => `No Sidecar for ${workloads.join(', ')} of ${namespace}: ${why}`,
    ),
  ];
  for (const remark of remarks) terminal.stderr.write(`${remark}\n`);
}

function prometheusAddress(text: string | undefined): string {
  if (text === undefined) {
    throw new UsageError(
      '--sidecar-scope needs --prometheus, the address of a Prometheus that scrapes the proxies',
    );
  }
  const address = httpAddress().safeParse(text);
  if (address.success) return address.data.replace(/\/$/, '');
  throw new UsageError(`--prometheus ${address.error.issues[0]?.message}`);
}

function windowOf(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (error) {
    throw new UsageError(`--window: ${(error as Error).message}`);
  }
}
