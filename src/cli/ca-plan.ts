import { issuerText } from '../api/issuer-text.ts';
import { type KubernetesObject, keyText } from '../api/kubernetes-object.ts';
import type { MeshOperator } from '../api/mesh-operator.ts';
import type { CertificateAuthorityStatus } from '../api/mesh-operator-status.ts';
import { resolveMesh } from '../api/resolve.ts';
import { systemClock } from '../base/clock.ts';
import { TerminalError } from '../base/errors.ts';
import { authorityOf } from './authority-of.ts';
import { type AwaitedCluster, absentObstacles, awaitedClusters } from './awaited-clusters.ts';
import type { CaMeshesOptions } from './ca-status.ts';
import { clusterClient, listMeshes } from './cluster.ts';
import { writeDocument } from './output.ts';
import { rotationObstacles, trustTrouble } from './rotation-obstacles.ts';
import { spireRotates } from './spire-rotates.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** When an authority is replaced, and whether it could be now. */
export interface RotationPlan {
  readonly namespace: string;
  readonly name: string;
  /** When each is due by itself, and why then; of the status, so absent before there is an authority. */
  readonly nextRotation?: CertificateAuthorityStatus['nextRotation'];
  /** Whose root it is, and so who replaces it: absent where the operator does. */
  readonly issuer?: string;
  /**
   * RFC 3339: the earliest end of a rotation of the root that begins now, when no proxy trusts the old one any more.
   * Absent when the spec does not say.
   */
  readonly oldRootDroppedAt?: string;
  /** Whom a rotation of the root waits for, and for what; absent where there is no other cluster. */
  readonly awaited?: readonly AwaitedCluster[];
  /** How long each phase waits for them, a clause; absent where there are none. */
  readonly patience?: string;
  /** What it is not about, where another authority issues the certificates of workloads: a sentence. */
  readonly elsewhere?: string;
  /** What stands against a rotation that begins now: sentences. */
  readonly obstacles: readonly string[];
}

/** Trusting, Signing and Distrusting: each ends with a soak. */
const soaksOfARoot = 3;

/**
 * `mesh-operator ca plan [NAME]`: the next rotations of each mesh, and what one that begins now would meet, on standard
 * output. Changes nothing. Exit code 1 when something stands against one.
 */
export async function caPlan(
  options: CaMeshesOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const meshes = await listMeshes(clusterClient(options, clock), options);
  const plans = meshes.map((mesh) => rotationPlan(mesh, clock.now()));
  if (options.output === 'text') {
    if (plans.length === 0) terminal.stderr.write('There is no MeshOperator.\n');
    for (const plan of plans) terminal.stdout.write(planText(plan));
  } else {
    writeDocument(plans, options.output, terminal);
  }
  return plans.every(({ obstacles }) => obstacles.length === 0) ? exitCodes.ok : exitCodes.failed;
}

/** The plan of one mesh, from its spec and status. */
export function rotationPlan(object: KubernetesObject, now: Date): RotationPlan {
  const { namespace, name, certificateAuthority } = authorityOf(object);
  const nextRotation = certificateAuthority?.nextRotation;
  const known = { namespace, name, ...(nextRotation === undefined ? {} : { nextRotation }) };
  try {
    const mesh = resolveMesh(object as unknown as MeshOperator);
    const obstacles = rotationObstacles(object, mesh, now);
    const trouble = trustTrouble(object);
    if (trouble !== undefined) obstacles.push(trouble);
    if (!mesh.authority.enabled) return { ...known, obstacles };
    const awaited = awaitedClusters(mesh);
    const patience = patienceText(object as unknown as MeshOperator);
    if (certificateAuthority !== undefined)
      obstacles.push(...absentObstacles(certificateAuthority, patience));
    const oldRootDroppedAt = new Date(now.getTime() + soaksOfARoot * mesh.authority.soakMs).toISOString();
    const { issuer, spire } = mesh.authority;
    return {
      ...known,
      ...(issuer === undefined ? {} : { issuer: issuerText(issuer) }),
      ...(spire === undefined ? {} : { elsewhere: spireRotates }),
      ...(awaited.length === 0 ? {} : { awaited, patience }),
      ...{ oldRootDroppedAt, obstacles },
    };
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return { ...known, obstacles: [`The spec has an error: ${error.message}`] };
  }
}

function patienceText({ spec }: MeshOperator): string {
  const proceedAfter = spec?.certificateAuthority?.rotation?.absentMembers?.proceedAfter;
  return proceedAfter === undefined
    ? 'for as long as it takes'
    : `for ${proceedAfter} at most (rotation.absentMembers.proceedAfter)`;
}

function awaitedText({ clusterName, follows, finishes }: AwaitedCluster): string {
  const who = follows ? `${clusterName}, which follows this istiod,` : clusterName;
  const phases = Object.entries(finishes).map(([phase, what]) => `${phase} until ${what}`);
  return `  Cluster ${who} holds ${phases.join(', ')}`;
}

/** A plan for a person. */
export function planText(plan: RotationPlan): string {
  const { nextRotation, issuer, oldRootDroppedAt, elsewhere, awaited = [], patience, obstacles } = plan;
  const lines = [keyText(plan), ...(elsewhere === undefined ? [] : [`  ${elsewhere}`])];
  for (const kind of ['root', 'intermediate'] as const) {
    const due = nextRotation?.[kind];
    if (due !== undefined) lines.push(`  Next rotation of the ${kind}: ${due.at} (${due.reason})`);
  }
  if (issuer !== undefined) {
    lines.push(`  The root is that of ${issuer}: it is rotated when an order brings another one`);
  }
  if (oldRootDroppedAt !== undefined) {
    lines.push(
      `  If the root were rotated now, the old one would be dropped at ${oldRootDroppedAt} at the earliest`,
    );
  }
  lines.push(...awaited.map(awaitedText));
  if (patience !== undefined) lines.push(`  Each phase waits for other clusters ${patience}`);
  lines.push(
    ...(obstacles.length === 0
      ? ['  Nothing is known to stand against a rotation']
      : obstacles.map((obstacle) => `  Stands against it: ${obstacle}`)),
  );
  return `${lines.join('\n')}\n`;
}
