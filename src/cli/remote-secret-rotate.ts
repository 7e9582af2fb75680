import { type KubernetesObject, keyText } from '../api/kubernetes-object.ts';
import { rotateRemotesAnnotation } from '../api/labels.ts';
import type { MeshOperatorStatus, RemoteStatus } from '../api/mesh-operator-status.ts';
import { type Clock, commandClock } from '../base/clock.ts';
import { requestText } from '../controllers/remotes/request-for.ts';
import { type ClusterOptions, clusterClient } from './cluster.ts';
import { followObject } from './follow-object.ts';
import { meshId, readRemoteMesh } from './remote-mesh.ts';
import { RemoteRotationProgress } from './remote-rotation-progress.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** What follows `mesh-operator remote-secret rotate MESH`. */
export interface RemoteSecretRotateOptions extends ClusterOptions {
  readonly namespace: string;
  /** Absent: all other clusters. */
  readonly cluster?: string | undefined;
  /** Return when the credentials of before are refused. */
  readonly wait?: boolean | undefined;
}

const fieldManager = 'mesh-operator-cli';

/**
 * `mesh-operator remote-secret rotate MESH`: asks the operator by annotation for other credentials by which istiod reads
 * the other clusters, or one of them. With `wait` it prints how far that is, and returns when those of before are refused.
 * Exit code 1 when the mesh has no such cluster.
 */
export async function remoteSecretRotate(
  name: string,
  options: RemoteSecretRotateOptions,
  terminal: Terminal,
  clock: Clock = commandClock,
): Promise<ExitCode> {
  const { namespace, cluster } = options;
  const key = { namespace, name };
  const client = clusterClient(options, clock);
  const { signal } = new AbortController();
  const { object, multiCluster } = await readRemoteMesh(client, key, signal);
  const all = multiCluster.remotes.map(({ clusterName }) => clusterName);
  const wanted = cluster === undefined ? all : all.filter((clusterName) => clusterName === cluster);
  if (wanted.length === 0) {
    const known = all.length === 0 ? 'no other cluster' : `no cluster ${cluster}, but ${all.join(', ')}`;
    terminal.stderr.write(`${keyText(key)}: nothing was asked for. The mesh names ${known}\n`);
    return exitCodes.failed;
  }
  const progress = new RemoteRotationProgress(wanted, remotesOf(object));
  const text = requestText(cluster, clock.now());
  const merge = { metadata: { annotations: { [rotateRemotesAnnotation]: text } } };
  const asked = await client.patch(meshId(key), { type: 'merge', merge }, { fieldManager }, signal);
  terminal.stderr.write(`${keyText(key)}: asked for ${wanted.join(', ')}\n`);
  if (options.wait !== true) return exitCodes.ok;
  await followObject(client, meshId(key), asked, (latest) => {
    const { lines, hasEnded } = progress.next(remotesOf(latest));
    for (const line of lines) terminal.stdout.write(`${line}\n`);
    return hasEnded;
  });
  return exitCodes.ok;
}

function remotesOf({ status }: KubernetesObject): readonly RemoteStatus[] {
  return ((status ?? {}) as MeshOperatorStatus).remotes ?? [];
}
