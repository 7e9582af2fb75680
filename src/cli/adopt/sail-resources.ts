import type { KindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { revisionLabel } from '../../api/resolved-mesh.ts';
import { NotFoundError } from '../../base/errors.ts';
import { isRecord } from '../../base/stable-json.ts';
import { sailGroup } from '../../convert/source-names.ts';
import type { KubeClient } from '../../kube/client.ts';
import { listAll } from '../istio-kinds.ts';

/** What the operator of Sail has in a cluster for one control plane. */
export interface SailResources {
  /** What its charts are given: their values, with what Sail adds to those of an Istio. */
  readonly revision?: KubernetesObject;
  /** What makes Sail's operator set objects back: IstioRevisionTags that point to it, itself, and Istios that make it. */
  readonly keepers: readonly KubernetesObject[];
  /** IstioCNI and ZTunnel: what a cluster has once, and no control plane owns. */
  readonly components: readonly KubernetesObject[];
}

/** `app.kubernetes.io/managed-by` is Helm's; Sail labels what it installs by this. */
const managedByLabel = 'managed-by';
const managedBySail = 'sail-operator';

/** True for an object that Sail's operator has installed, whether it is still there or not. */
export function isOfSail({ metadata }: KubernetesObject): boolean {
  return (
    metadata.labels?.[managedByLabel] === managedBySail ||
    (metadata.ownerReferences ?? []).some(({ apiVersion }) => sailGroup.test(apiVersion))
  );
}

/** Reads what Sail's operator has for a revision, empty for the default one; nothing where its kinds are not served. */
export async function readSailResources(
  client: KubeClient,
  revision: string,
  signal: AbortSignal,
): Promise<SailResources> {
  const list = (kind: string, plural: string) =>
    listAll(client, sailKind(kind, plural), signal).catch((error: unknown) => {
      if (error instanceof NotFoundError) return [];
      throw error;
    });
  const [istios, revisions, tags, cnis, ztunnels] = await Promise.all([
    list('Istio', 'istios'),
    list('IstioRevision', 'istiorevisions'),
    list('IstioRevisionTag', 'istiorevisiontags'),
    list('IstioCNI', 'istiocnis'),
    list('ZTunnel', 'ztunnels'),
  ]);
  return sailResourcesOf(revision, { istios, revisions, tags, components: [...cnis, ...ztunnels] });
}

/** Everything that Sail's operator has in a cluster. */
export interface SailCluster {
  readonly istios: readonly KubernetesObject[];
  readonly revisions: readonly KubernetesObject[];
  readonly tags: readonly KubernetesObject[];
  readonly components: readonly KubernetesObject[];
}

/** What of it is of one revision, empty for the default one, which Sail calls `default`. */
export function sailResourcesOf(revision: string, cluster: SailCluster): SailResources {
  const own = revisionLabel(revision);
  const found = cluster.revisions.find(({ metadata }) => metadata.name === own);
  const owners = (found?.metadata.ownerReferences ?? []).map(({ uid }) => uid);
  const istios = cluster.istios.filter(
    ({ metadata, status }) =>
      owners.includes(metadata.uid ?? '') || (isRecord(status) && status.activeRevisionName === own),
  );
  const targets = new Set([
    `IstioRevision ${own}`,
    ...istios.map(({ metadata }) => `Istio ${metadata.name}`),
  ]);
  const tags = cluster.tags.filter(({ spec, status }) => {
    // What a tag of an Istio points to is the revision that was active when Sail has seen it last.
    if (isRecord(status) && typeof status.istioRevision === 'string' && status.istioRevision !== '') {
      return status.istioRevision === own;
    }
    const target = isRecord(spec) && isRecord(spec.targetRef) ? spec.targetRef : {};
    return targets.has(`${String(target.kind)} ${String(target.name)}`);
  });
  const { components } = cluster;
  return found === undefined
    ? { keepers: [...tags, ...istios], components }
    : { revision: found, keepers: [...tags, found, ...istios], components };
}

function sailKind(kind: string, plural: string): KindInfo {
  return { apiVersion: 'sailoperator.io/v1', kind, plural, namespaced: false };
}
