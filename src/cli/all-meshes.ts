import { kindInfo } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import { NotFoundError } from '../base/errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { listAll } from './istio-kinds.ts';

/** Every MeshOperator of the cluster; none where the CRD is gone. */
export async function listAllMeshes(client: KubeClient, signal: AbortSignal): Promise<KubernetesObject[]> {
  try {
    return await listAll(client, kindInfo(meshOperatorApiVersion, meshOperatorKind), signal);
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}
