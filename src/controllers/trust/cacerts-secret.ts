import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { secretData } from '../../kube/secret-data.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { istioBundleOf, versionOfBundle } from '../../pki/istio-bundle.ts';
import { sharedMetadata } from './shared-object.ts';

/** Name of the Secret that every istiod of a namespace signs with (Istio's chart, volume `cacerts`). */
export const cacertsName = 'cacerts';

/** The Secret that istiod mounts: what it signs with and trusts in this phase. */
export function cacertsSecret(meshes: readonly KubernetesObject[], state: AuthorityState): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: sharedMetadata(meshes, cacertsName),
    type: 'Opaque',
    data: secretData({ ...istioBundleOf(state) }),
  };
}

/** Names what istiod should have loaded in this phase; says nothing of keys. */
export function bundleVersion(state: AuthorityState): string {
  return versionOfBundle(istioBundleOf(state));
}
