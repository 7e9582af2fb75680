import type { KubernetesObject, ObjectMeta } from '../../api/kubernetes-object.ts';
import { ownershipLabels } from '../../api/labels.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../../api/mesh-operator.ts';

/**
 * The metadata of an object that the MeshOperators of one namespace share: it goes with the last of them, of which the
 * first one keeps it.
 */
export function sharedMetadata(meshes: readonly KubernetesObject[], objectName: string): ObjectMeta {
  const { name = '', namespace = '' } = meshes[0]?.metadata ?? {};
  return {
    name: objectName,
    namespace,
    labels: ownershipLabels({ name, namespace }),
    ownerReferences: meshes.map(({ metadata }) => ({
      apiVersion: meshOperatorApiVersion,
      kind: meshOperatorKind,
      name: metadata.name,
      uid: metadata.uid ?? '',
    })),
  };
}
