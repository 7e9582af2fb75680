import istioCrds from '../../generated/istio-crds.json' with { type: 'json' };
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { managedByLabel, managedByValue, partOfLabel, partOfValue } from '../api/labels.ts';
import { istioVersions } from '../api/versions.ts';

/** Annotation of Istio's CRDs: the Istio release that they were taken from, such as `1.31.1`. */
export const istioCrdsVersionAnnotation = 'meshoperator.dev/istio-crds-version';

/**
 * Istio's CRDs, of the newest release we know: older istiods read them as well.
 * They belong to the cluster and not to a mesh, so they name no mesh and have no owner: whoever applies them must
 * never prune them, and must not replace newer ones (`istioCrdsVersionAnnotation`). Helm's labels and annotations
 * of the published files are left out. The specs are shared: never change them in place.
 */
export function renderIstioCrds(): readonly KubernetesObject[] {
  return istioCrds.map(({ apiVersion, kind, metadata, spec }) => ({
    apiVersion,
    kind,
    metadata: {
      name: metadata.name,
      labels: { [managedByLabel]: managedByValue, [partOfLabel]: partOfValue },
      annotations: { [istioCrdsVersionAnnotation]: istioVersions[0].patch },
    },
    spec,
  }));
}
