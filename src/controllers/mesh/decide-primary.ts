import { type KubernetesObject, keyText } from '../../api/kubernetes-object.ts';
import { primaryConfigMapId, readPrimary } from '../../api/primary-statement.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { WaitingError } from '../../base/errors.ts';

/** Where the istiod is that a mesh follows, or what the mesh waits for. */
export type PrimaryDecision =
  | { readonly addresses: readonly string[]; readonly awaits?: undefined }
  /** A sentence: what is awaited, and what to do. */
  | { readonly addresses?: undefined; readonly awaits: string };

/** The mesh is woken when it is said. */
const retryAfterMs = 10_000;

/** What the ConfigMap of the cluster with the istiod comes to; `configMap` is that as it is now. Pure. */
export function decidePrimary(
  { namespace, revision, meshId }: Pick<ResolvedMesh, 'namespace' | 'revision' | 'meshId'>,
  configMap: KubernetesObject | undefined,
): PrimaryDecision {
  const where = `ConfigMap ${keyText({ namespace, name: primaryConfigMapId(namespace, revision).name })}`;
  if (configMap === undefined) {
    const awaits = `Waits for ${where}, by which the cluster with the istiod says where that is: name this cluster there in spec.multiCluster.remotes with role Remote, or set spec.values.global.remotePilotAddress here`;
    return { awaits };
  }
  const { statement, problem } = readPrimary(configMap);
  if (statement === undefined) {
    return { awaits: `${problem}: the operator of the cluster with the istiod writes it again` };
  }
  const { clusterName, meshID, addresses } = statement;
  if (meshID !== meshId) {
    const awaits = `${where} is of cluster ${clusterName} in mesh ${meshID}, not ${meshId}: give both the same meshID`;
    return { awaits };
  }
  if (addresses.length === 0) {
    const awaits = `Waits for an address at which the istiod of cluster ${clusterName} is reached: there is none yet`;
    return { awaits };
  }
  return { addresses };
}

/** Throws WaitingError while nobody has said where istiod is; what there is stays as it is. */
export function awaitPrimary(decision: PrimaryDecision | undefined): void {
  if (decision?.awaits === undefined) return;
  throw new WaitingError(decision.awaits, { reason: 'PrimaryPending', retryAfterMs });
}
