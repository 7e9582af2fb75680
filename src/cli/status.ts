import { kindInfo } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import type { MeshOperatorStatus } from '../api/mesh-operator-status.ts';
import { systemClock } from '../base/clock.ts';
import { openConnection } from '../kube/api-connection.ts';
import { KubeClient } from '../kube/client.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

export interface StatusOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
}

/**
 * `mesh-operator status`: every mesh with its conditions, gateways and number of objects, on standard output.
 * Exit code 1 when a mesh is not Ready.
 */
export async function status(options: StatusOptions, terminal: Terminal): Promise<ExitCode> {
  const client = new KubeClient({ connection: openConnection(options, systemClock), clock: systemClock });
  const kind = kindInfo(meshOperatorApiVersion, meshOperatorKind);
  const { items } = await client.list(kind, { namespace: options.namespace }, new AbortController().signal);
  if (items.length === 0) terminal.stderr.write('There is no MeshOperator.\n');
  for (const mesh of items) terminal.stdout.write(statusText(mesh));
  return items.every(isReady) ? exitCodes.ok : exitCodes.failed;
}

/** What is known of one mesh, for a person. */
export function statusText(mesh: KubernetesObject): string {
  const { metadata } = mesh;
  const known = (mesh.status ?? {}) as MeshOperatorStatus;
  const version = known.version === undefined ? '' : `, Istio ${known.version}, revision ${known.revision}`;
  const lines = [
    `${metadata.namespace}/${metadata.name}: ${known.state ?? 'not seen by the operator yet'}${version}`,
  ];
  for (const { type, status: value, reason, message } of known.conditions ?? []) {
    lines.push(`  ${type.padEnd(18)} ${value.padEnd(8)} ${reason}: ${message}`);
  }
  for (const { namespace, name, addresses } of known.gateways ?? []) {
    lines.push(`  Gateway ${namespace}/${name}: ${addresses.join(', ') || 'no address'}`);
  }
  lines.push(`  Objects: ${known.inventory?.length ?? 0}`);
  return `${lines.join('\n')}\n`;
}

function isReady(mesh: KubernetesObject): boolean {
  return (mesh.status as MeshOperatorStatus | undefined)?.state === 'Ready';
}
