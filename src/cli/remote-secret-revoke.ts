import { kindInfo } from '../api/kinds.ts';
import { idOf, idText, type KubernetesObject, keyText } from '../api/kubernetes-object.ts';
import { operatorAccessLabel, remoteLabel } from '../api/labels.ts';
import type { MeshOperator } from '../api/mesh-operator.ts';
import type { MultiCluster } from '../api/spec/multi-cluster.ts';
import { type Clock, commandClock } from '../base/clock.ts';
import { NotFoundError } from '../base/errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { operatorAccessIds, operatorAccessName } from '../render/multicluster/operator-access.ts';
import { readerIds } from '../render/multicluster/reader.ts';
import { clusterClient, listMeshes } from './cluster.ts';
import { confirm } from './confirm.ts';
import { type OtherClusterOptions, openOtherCluster } from './other-cluster.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** What follows `mesh-operator remote-secret revoke MESH CLUSTER`. */
export interface RemoteSecretRevokeOptions extends OtherClusterOptions {
  readonly namespace: string;
  /** Do not ask. */
  readonly yes?: boolean | undefined;
}

/**
 * `mesh-operator remote-secret revoke MESH CLUSTER`: takes back what `remote-secret create` made, in the other cluster and
 * here; says what goes and asks first. Exit code 1 when nothing was done: the spec still names the cluster, the operator
 * still has something there, or the answer was no. Throws NotFoundError when nobody knows as whom the operator is there.
 */
export async function remoteSecretRevoke(
  name: string,
  clusterName: string,
  options: RemoteSecretRevokeOptions,
  terminal: Terminal,
  clock: Clock = commandClock,
): Promise<ExitCode> {
  const { namespace } = options;
  const client = clusterClient(options, clock);
  const other = openOtherCluster(options, clock);
  const { signal } = new AbortController();
  const refuse = (why: string) => {
    terminal.stderr.write(`Nothing was done. ${why}\n`);
    return exitCodes.failed;
  };
  const key = { namespace, name };
  const meshes = await listMeshes(client, { namespace });
  // Every mesh of the namespace may have the same way in.
  const naming = meshes.find((mesh) =>
    multiClusterOf(mesh)?.remotes?.some((remote) => remote.clusterName === clusterName),
  );
  if (naming !== undefined) {
    return refuse(
      `MeshOperator ${namespace}/${naming.metadata.name} still names ${clusterName}: take it out of spec.multiCluster.remotes first, so that the operator removes there what istiod reads it by`,
    );
  }
  const secrets = await accessSecrets(client, namespace, clusterName, signal);
  const clusterId =
    secrets[0]?.metadata.labels?.[operatorAccessLabel] ??
    multiClusterOf(meshes.find((mesh) => mesh.metadata.name === name))?.clusterName;
  if (clusterId === undefined) {
    const message = `There is neither MeshOperator ${keyText(key)} nor a Secret of ${namespace} that lets into ${clusterName}`;
    throw new NotFoundError(message, { reason: 'NotFound' });
  }
  const home = { namespace, clusterId };
  const left: string[] = [];
  for (const id of readerIds(home, true)) {
    if ((await other.client.find(id, signal)) !== undefined) left.push(idText(id));
  }
  if (left.length > 0) {
    return refuse(
      `The operator has not removed from ${clusterName} what istiod reads it by (${left.join(', ')}), and could not any more: wait, or where no operator is at work, delete it there`,
    );
  }
  terminal.stdout.write(
    `In ${clusterName} ServiceAccount ${namespace}/${operatorAccessName(home)} goes, with its rights; its tokens are refused within ten seconds\n`,
  );
  for (const secret of secrets) terminal.stdout.write(`Here ${idText(idOf(secret))} goes\n`);
  if (options.yes !== true && !(await confirm(clusterName, terminal))) {
    terminal.stderr.write('Nothing was done.\n');
    return exitCodes.failed;
  }
  for (const id of operatorAccessIds(home)) await other.client.delete(id, {}, signal);
  for (const secret of secrets) await client.delete(idOf(secret), {}, signal);
  return exitCodes.ok;
}

/** The Secrets that `remote-secret create` has made for a cluster. */
async function accessSecrets(
  client: KubeClient,
  namespace: string,
  clusterName: string,
  signal: AbortSignal,
): Promise<readonly KubernetesObject[]> {
  const labelSelector = `${operatorAccessLabel},${remoteLabel}=${clusterName}`;
  const { items } = await client.list(
    kindInfo('v1', 'Secret'),
    { namespace, labelSelector, metadataOnly: true },
    signal,
  );
  return items;
}

function multiClusterOf(mesh: KubernetesObject | undefined): MultiCluster | undefined {
  return (mesh as unknown as MeshOperator | undefined)?.spec?.multiCluster;
}
