import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../api/mesh-operator-status.ts';
import { clusterClient, listMeshes, type MeshesOptions } from './cluster.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/**
 * `mesh-operator status`: every mesh with its conditions, gateways and number of objects, on standard output.
 * Exit code 1 when a mesh is not Ready.
 */
export async function status(options: MeshesOptions, terminal: Terminal): Promise<ExitCode> {
  const items = await listMeshes(clusterClient(options), options);
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
