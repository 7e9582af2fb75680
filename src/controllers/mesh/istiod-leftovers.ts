import { claimedRevision } from '../../api/claims.ts';
import { lockConfigMaps } from '../../api/istiod-locks.ts';
import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject, ObjectId } from '../../api/kubernetes-object.ts';
import { meshLabel } from '../../api/labels.ts';
import { revisionLabel } from '../../api/resolved-mesh.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type Lingering, refusalOf } from './lingering.ts';
import type { ObservedWorld } from './observed-world.ts';

/** Leases for the same (`istiod-locks.ts`). */
const sharedLeases = ['istio-status-leader'];
const revisionLeases = ['istio-gateway-deployment', 'istio-gateway-status-leader'];

/** istiod writes these into every namespace, with this label. */
const istiodConfigLabel = 'istio.io/config=true';
const bundleConfigMaps = ['istio-ca-root-cert', 'istio-ca-crl'];

export interface IstiodLeftoversDeps {
  readonly client: KubeClient;
  readonly world: Pick<ObservedWorld, 'meshes'>;
}

/**
 * Removes what istiod itself made at run time, once its pods are gone: locks in its namespace, and trust bundles in
 * all namespaces when no other mesh is left to keep them. The Secret with its signing key stays: a mesh that is
 * made again in the same namespace is then trusted by what still runs.
 */
export class IstiodLeftovers {
  readonly #deps: IstiodLeftoversDeps;

  constructor(deps: IstiodLeftoversDeps) {
    this.#deps = deps;
  }

  /** The pods of the mesh that still run, of which one is enough: they would make everything again. */
  async runningPods(mesh: KubernetesObject, signal: AbortSignal): Promise<readonly Lingering[]> {
    // Pods of an adopted istiod may not carry the label of the mesh.
    const selectors = [
      `${meshLabel}=${mesh.metadata.name}`,
      `app=istiod,istio.io/rev=${revisionLabel(claimedRevision(mesh))}`,
    ];
    const { namespace } = mesh.metadata;
    const pages = await Promise.all(
      selectors.map((labelSelector) =>
        this.#deps.client.list(kindInfo('v1', 'Pod'), { namespace, labelSelector, limit: 1 }, signal),
      ),
    );
    const [pod] = pages.flatMap(({ items }) => items);
    if (pod === undefined) return [];
    const { name, finalizers = [] } = pod.metadata;
    const id = { apiVersion: 'v1', kind: 'Pod', namespace: pod.metadata.namespace ?? '', name };
    return [{ id, finalizers, mayBeLeft: true }];
  }

  /** To be called when none of them runs; returns what could not be deleted. */
  async remove(mesh: KubernetesObject, signal: AbortSignal): Promise<readonly Lingering[]> {
    const others = [...this.#deps.world.meshes()].filter((other) => other.metadata.uid !== mesh.metadata.uid);
    const revision = claimedRevision(mesh);
    const isRevisionFree = !others.some((other) => claimedRevision(other) === revision);
    const isLastInNamespace = !others.some((other) => other.metadata.namespace === mesh.metadata.namespace);
    const ids = [
      ...(await this.#locks(
        mesh.metadata.namespace ?? '',
        lockNames(revision, isRevisionFree, isLastInNamespace),
        signal,
      )),
      ...(others.length === 0 ? await this.#bundles(signal) : []),
    ];
    const refused = await Promise.all(ids.map((id) => this.#delete(id, signal)));
    return refused.filter((lingering) => lingering !== undefined);
  }

  async #delete(id: ObjectId, signal: AbortSignal): Promise<Lingering | undefined> {
    try {
      await this.#deps.client.delete(id, {}, signal);
      return undefined;
    } catch (error) {
      return { id, finalizers: [], refusal: refusalOf(error, signal), mayBeLeft: true };
    }
  }

  /** Those that exist: two lists in one namespace instead of a delete of each name. */
  async #locks(namespace: string, names: ReadonlySet<string>, signal: AbortSignal): Promise<ObjectId[]> {
    const kinds = [kindInfo('v1', 'ConfigMap'), kindInfo('coordination.k8s.io/v1', 'Lease')];
    const lists = await Promise.all(kinds.map((kind) => this.#deps.client.list(kind, { namespace }, signal)));
    return lists
      .flatMap((list) => list.items)
      .filter((object) => names.has(object.metadata.name))
      .map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, namespace, name: metadata.name }));
  }

  async #bundles(signal: AbortSignal): Promise<ObjectId[]> {
    const kind = kindInfo('v1', 'ConfigMap');
    const { items } = await this.#deps.client.list(kind, { labelSelector: istiodConfigLabel }, signal);
    return items
      .filter((object) => bundleConfigMaps.includes(object.metadata.name))
      .map(({ metadata }) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: metadata.namespace ?? '',
        name: metadata.name,
      }));
  }
}

/** Locks that no istiod needs any more; another mesh may claim the same revision, or live in the same namespace. */
function lockNames(
  revision: string,
  isRevisionFree: boolean,
  isLastInNamespace: boolean,
): ReadonlySet<string> {
  return new Set([
    ...(isRevisionFree ? revisionLeases.map((name) => `${name}-${revisionLabel(revision)}`) : []),
    ...(isLastInNamespace ? [...lockConfigMaps, ...sharedLeases] : []),
  ]);
}
