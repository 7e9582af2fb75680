import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { LabelSelector } from '../../api/resolved-injection.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';
import { matchesSelector } from '../../injection/label-selector.ts';

/** Where istiod keeps no bundle either (Istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go). */
const ignoredNamespaces: readonly string[] = ['kube-public', 'kube-node-lease', 'local-path-storage'];

/**
 * The names of the namespaces that istiod would bring its roots to: all that one of the mesh's `discoverySelectors`
 * matches, every one when there is none. Those that are being deleted are left out: nothing can be made in them.
 */
export function discoveredNamespaces(
  { meshConfig }: ResolvedMesh,
  namespaces: Iterable<KubernetesObject>,
): string[] {
  const { discoverySelectors } = meshConfig;
  const selectors = (Array.isArray(discoverySelectors) ? discoverySelectors : []).filter(
    isRecord,
  ) as LabelSelector[];
  const isDiscovered = ({ metadata }: KubernetesObject) =>
    metadata.deletionTimestamp === undefined &&
    !ignoredNamespaces.includes(metadata.name) &&
    (selectors.length === 0 ||
      selectors.some((selector) => matchesSelector(selector, metadata.labels ?? {})));
  return [...namespaces].filter(isDiscovered).map(({ metadata }) => metadata.name);
}
