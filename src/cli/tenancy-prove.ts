import { claimedTenant } from '../api/claims.ts';
import { idOf, idText } from '../api/kubernetes-object.ts';
import { problemText } from '../api/problem.ts';
import { validateMeshOperator } from '../api/validate.ts';
import { systemClock } from '../base/clock.ts';
import { NotFoundError } from '../base/errors.ts';
import type { IsolationFinding, PlatformSubject } from '../isolation/finding.ts';
import {
  type IsolationReport,
  type IsolationVerdict,
  type LayerReport,
  proveIsolation,
} from '../isolation/prove-isolation.ts';
import { withoutStatus } from './analyze/analysis-input.ts';
import { clusterClient, type MeshesOptions } from './cluster.ts';
import { observeCluster } from './observe-cluster.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { type Paint, paintFor, type Style } from './paint.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** What follows `mesh-operator tenancy prove`. */
export interface TenancyProveOptions extends MeshesOptions {
  readonly output: OutputFormat;
  /** Namespaces whose ServiceAccounts are the platform's. */
  readonly platformNamespace?: readonly string[] | undefined;
}

/**
 * `mesh-operator tenancy prove [NAME]`: of each tenant, every way into it and out of it that the cluster leaves open, with
 * what opens it, on standard output. Only reads. Exit code 1 when there is one, or when a part of the cluster cannot be
 * read, or a spec is not valid: then nothing is proven. Throws NotFoundError when there is no tenant, or none of that name.
 */
export async function tenancyProve(
  options: TenancyProveOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const { namespace, name, output, platformNamespace: platformNamespaces = [] } = options;
  const cluster = await observeCluster(clusterClient(options, clock), new AbortController().signal);
  if (cluster.unread.meshes !== undefined) {
    terminal.stderr.write(`mesh-operator: ${cluster.unread.meshes}\n`);
    return exitCodes.failed;
  }
  const tenants = cluster.meshes.filter(
    (mesh) =>
      claimedTenant(mesh) !== undefined &&
      (namespace === undefined || mesh.metadata.namespace === namespace) &&
      (name === undefined || mesh.metadata.name === name),
  );
  if (tenants.length === 0) throw noTenant(options);
  const invalid = tenants.filter((mesh) => validateMeshOperator(withoutStatus(mesh)).length > 0);
  for (const mesh of invalid) {
    const [problem] = validateMeshOperator(withoutStatus(mesh));
    const why = problem === undefined ? '' : problemText(problem);
    terminal.stderr.write(`${idText(idOf(mesh))} is not valid, and nothing is proven of it: ${why}\n`);
  }
  const reports = tenants
    .filter((mesh) => !invalid.includes(mesh))
    .flatMap((mesh) => proveIsolation(mesh, cluster, { platformNamespaces }) ?? []);
  if (output === 'text') {
    const paint = paintFor(terminal);
    terminal.stdout.write(reports.map((report) => isolationText(report, paint)).join('\n'));
  } else {
    writeDocument(reports, output, terminal);
  }
  const isProven = invalid.length === 0 && reports.every(({ verdict }) => verdict === 'Isolated');
  return isProven ? exitCodes.ok : exitCodes.failed;
}

function noTenant({ namespace, name }: MeshesOptions): NotFoundError {
  const where = namespace === undefined ? 'any namespace' : `namespace ${namespace}`;
  const what = name === undefined ? 'MeshOperator' : `MeshOperator ${name}`;
  return new NotFoundError(`There is no ${what} with spec.tenancy in ${where}`, { reason: 'NotFound' });
}

const words: Readonly<Record<IsolationVerdict, { readonly text: string; readonly style: Style }>> = {
  Isolated: { text: 'isolated', style: 'good' },
  Open: { text: 'open', style: 'bad' },
  NotProven: { text: 'not proven', style: 'doubtful' },
};

/** More names of one finding are counted in texts. */
const maxNamed = 5;

/** One tenant, for a person. */
export function isolationText(report: IsolationReport, paint: Paint): string {
  const { tenant, mesh, verdict, layers, platform } = report;
  const lines = [
    `${paint('heading', `Tenant ${tenant}`)} (MeshOperator ${mesh}): ${verdictText(verdict, paint)}`,
    ...layers.flatMap((layer) => [
      ...layerLines(layer, paint),
      ...(layer.layer === 'RBAC' ? platformLines(platform, paint) : []),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** A line for each rule by which somebody is of the platform. */
function platformLines(platform: readonly PlatformSubject[], paint: Paint): string[] {
  return [...Map.groupBy(platform, ({ because }) => because)].map(([because, subjects]) =>
    paint('faint', `    platform: ${namesText(subjects.map(({ subject }) => subject))} (${because})`),
  );
}

function layerLines({ layer, verdict, unproven, findings }: LayerReport, paint: Paint): string[] {
  return [
    `  ${layer}: ${verdictText(verdict, paint)}`,
    ...unproven.map((why) => `    ${paint('doubtful', 'not proven')}: ${why}`),
    ...findings.flatMap((finding) => findingLines(finding, paint)),
  ];
}

function findingLines(
  { severity, object, path, from, to, why, fix }: IsolationFinding,
  paint: Paint,
): string[] {
  return [
    `    ${paint(severity === 'open' ? 'bad' : 'doubtful', severity)}: ${object}${path === undefined ? '' : ` ${path}`}`,
    `      ${namesText(from)} -> ${namesText(to)}`,
    `      ${sentence(why)}`,
    `      Fix: ${fix}.`,
  ];
}

function verdictText(verdict: IsolationVerdict, paint: Paint): string {
  const { text, style } = words[verdict];
  return paint(style, text);
}

function namesText(names: readonly string[]): string {
  const more = names.length - maxNamed;
  return [...names.slice(0, maxNamed), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;
}
