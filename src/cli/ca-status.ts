import { keyText } from '../api/kubernetes-object.ts';
import type {
  CertificateAuthorityStatus,
  TrustBundleStatus,
  TrustFollowerStatus,
  TrustMemberStatus,
} from '../api/mesh-operator-status.ts';
import { systemClock } from '../base/clock.ts';
import { type AuthorityOfMesh, authorityOf } from './authority-of.ts';
import { clusterClient, listMeshes, type MeshesOptions } from './cluster.ts';
import { type OutputFormat, writeDocument } from './output.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** What follows `mesh-operator ca status` and `ca plan`. */
export interface CaMeshesOptions extends MeshesOptions {
  readonly output: OutputFormat;
}

const dayMs = 86_400_000;
const slots = ['current', 'next', 'previous'] as const;

/**
 * `mesh-operator ca status [NAME]`: what the status of each mesh says of its authority, on standard output. Exit code 1
 * when one is not TrustHealthy.
 */
export async function caStatus(
  options: CaMeshesOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const meshes = (await listMeshes(clusterClient(options, clock), options)).map(authorityOf);
  if (options.output === 'text') {
    if (meshes.length === 0) terminal.stderr.write('There is no MeshOperator.\n');
    for (const mesh of meshes) terminal.stdout.write(caStatusText(mesh, clock.now()));
  } else {
    writeDocument(meshes, options.output, terminal);
  }
  const isSick = meshes.some(
    ({ trustHealthy }) => trustHealthy !== undefined && trustHealthy.status !== 'True',
  );
  return isSick ? exitCodes.failed : exitCodes.ok;
}

/** What is known of one authority, for a person. */
export function caStatusText(mesh: AuthorityOfMesh, now: Date): string {
  const { trustHealthy, certificateAuthority, trustBundle } = mesh;
  const isForeign = certificateAuthority === undefined && trustBundle !== undefined;
  const phase = certificateAuthority?.phase ?? (isForeign ? 'external' : 'no authority in its status');
  const lines = [
    `${keyText(mesh)}: ${phase}`,
    ...(trustHealthy === undefined
      ? ['  istiod signs by itself, or the operator has not seen the mesh yet']
      : [`  TrustHealthy ${trustHealthy.status}, ${trustHealthy.reason}: ${trustHealthy.message}`]),
    ...(certificateAuthority === undefined ? [] : authorityLines(certificateAuthority, now)),
    ...(trustBundle === undefined ? [] : bundleLines(trustBundle, now)),
  ];
  return `${lines.join('\n')}\n`;
}

function authorityLines(authority: CertificateAuthorityStatus, now: Date): string[] {
  const { lastRotation, nextRotation, members = [], followers = [], waitingFor = [] } = authority;
  const lines = [
    ...certificateLines(authority, now),
    ...members.map(memberText),
    ...followers.map(followerText),
    ...rotationLines(authority),
    ...waitingFor.map((what) => `  Waits: ${what}`),
  ];
  if (lastRotation !== undefined) {
    const { kind, reason, finishedAt, seconds } = lastRotation;
    lines.push(`  Last rotation: ${kind} (${reason}), ended ${finishedAt} after ${seconds.toFixed(1)} s`);
  }
  for (const kind of ['root', 'intermediate'] as const) {
    const due = nextRotation?.[kind];
    if (due !== undefined) lines.push(`  Next rotation of the ${kind}: ${due.at} (${due.reason})`);
  }
  return lines;
}

function certificateLines(authority: CertificateAuthorityStatus, now: Date): string[] {
  return (['root', 'intermediate'] as const).flatMap((kind) =>
    slots.flatMap((slot) => {
      const found = authority[kind][slot];
      if (found === undefined) return [];
      const { serial, notAfter } = found;
      return [`  ${kind.padEnd(12)} ${slot.padEnd(8)} serial ${serial}, ${endText(notAfter, now)}`];
    }),
  );
}

function bundleLines({ configMap, roots }: TrustBundleStatus, now: Date): string[] {
  return roots.map(
    ({ serial, notAfter }) => `  root of ConfigMap ${configMap}: serial ${serial}, ${endText(notAfter, now)}`,
  );
}

/** When a certificate ends, and how many whole days that is from now. */
export function endText(notAfter: string, now: Date): string {
  const leftMs = Date.parse(notAfter) - now.getTime();
  if (leftMs <= 0) return `has ended on ${notAfter}`;
  const days = Math.floor(leftMs / dayMs);
  return `ends ${notAfter}, ${days === 1 ? '1 day' : `${days} days`} left`;
}

function memberText({ clusterName, isTrusted, trustsRoot, message }: TrustMemberStatus): string {
  const here = isTrusted ? 'its roots are trusted here' : 'its roots are not trusted by everybody here yet';
  const there = trustsRoot
    ? 'it trusts the root of this cluster'
    : 'it does not trust the root of this cluster yet';
  return `  Cluster ${clusterName}: ${here}, ${there}${message === undefined ? '' : `; ${message}`}`;
}

function followerText({ clusterName, trustsRoot, message }: TrustFollowerStatus): string {
  const there = trustsRoot
    ? 'its proxies trust the root'
    : 'its proxies were not seen to trust the root that signs';
  return `  Cluster ${clusterName}, which follows this istiod: ${there}${message === undefined ? '' : `; ${message}`}`;
}

function rotationLines({ phase, rotation, proxies }: CertificateAuthorityStatus): string[] {
  if (rotation === undefined) return [];
  const { kind, reason, startedAt, phaseSince } = rotation;
  return [
    `  Rotation: ${kind} (${reason}) since ${startedAt}, in phase ${phase} since ${phaseSince}`,
    ...(proxies === undefined ? [] : [`  Proxies done: ${proxies.done} of ${proxies.total}`]),
  ];
}
