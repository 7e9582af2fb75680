import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { ownershipLabels } from '../../api/labels.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../../api/mesh-operator.ts';
import { secretData } from '../../kube/secret-data.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { istioBundleOf, versionOfBundle } from '../../pki/istio-bundle.ts';

/** Name of the Secret that every istiod of a namespace signs with (Istio's chart, volume `cacerts`). */
export const cacertsName = 'cacerts';

/**
 * The Secret that istiod mounts: what it signs with and trusts in this phase. It goes with the last of the MeshOperators
 * that use it, of which the first one keeps it.
 */
export function cacertsSecret(meshes: readonly KubernetesObject[], state: AuthorityState): KubernetesObject {
  const { name = '', namespace = '' } = meshes[0]?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: cacertsName,
      namespace,
      labels: ownershipLabels({ name, namespace }),
      ownerReferences: meshes.map(({ metadata }) => ({
        apiVersion: meshOperatorApiVersion,
        kind: meshOperatorKind,
        name: metadata.name,
        uid: metadata.uid ?? '',
      })),
    },
    type: 'Opaque',
    data: secretData({ ...istioBundleOf(state) }),
  };
}

/** Names what istiod should have loaded in this phase; says nothing of keys. */
export function bundleVersion(state: AuthorityState): string {
  return versionOfBundle(istioBundleOf(state));
}
