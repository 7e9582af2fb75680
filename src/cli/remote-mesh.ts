import { kindInfo } from '../api/kinds.ts';
import { type KubernetesObject, keyText, type ObjectKey } from '../api/kubernetes-object.ts';
import { operatorAccessLabel, remoteLabel } from '../api/labels.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import { problemText } from '../api/problem.ts';
import { resolveMesh } from '../api/resolve.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import type { ResolvedMultiCluster } from '../api/resolved-multi-cluster.ts';
import { validateMeshOperator } from '../api/validate.ts';
import { TerminalError } from '../base/errors.ts';
import type { KubeClient } from '../kube/client.ts';

/** A mesh of several clusters, as this one has it. */
export interface RemoteMesh {
  readonly object: KubernetesObject;
  readonly mesh: ResolvedMesh;
  readonly multiCluster: ResolvedMultiCluster;
}

/** Identity of a MeshOperator. */
export function meshId(key: ObjectKey) {
  return { ...kindInfo(meshOperatorApiVersion, meshOperatorKind), ...key };
}

/** Throws NotFoundError when there is no such mesh, and TerminalError when it is not right, or of one cluster alone. */
export async function readRemoteMesh(
  client: KubeClient,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<RemoteMesh> {
  const object = await client.get(meshId(key), signal);
  const [problem] = validateMeshOperator(object);
  if (problem !== undefined) {
    throw new TerminalError(`MeshOperator ${keyText(key)}: ${problemText(problem)}`, {
      reason: 'InvalidSpec',
    });
  }
  const mesh = resolveMesh(object as unknown as MeshOperator);
  const { multiCluster } = mesh;
  if (multiCluster === undefined) {
    const message = `MeshOperator ${keyText(key)} is a mesh of one cluster: give it spec.multiCluster with meshID and clusterName first`;
    throw new TerminalError(message, { reason: 'NoMultiCluster' });
  }
  return { object, mesh, multiCluster };
}

/** Name of the Secret that lets the operator into another cluster, where the spec names none. */
export function usualAccessSecret(clusterName: string): string {
  return `cluster-${clusterName}`;
}

/** Labels of a Secret by which the operator of cluster `from` gets into cluster `to`. */
export function accessSecretLabels(from: string, to: string): Record<string, string> {
  return { [operatorAccessLabel]: from, [remoteLabel]: to };
}
