import { kindInfo } from '../../api/kinds.ts';
import { type KubernetesObject, keyText } from '../../api/kubernetes-object.ts';
import type { Neighbours } from '../../api/neighbour-problems.ts';
import { ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Informer } from '../../runtime/informer.ts';
import { objectKeyOf } from '../../runtime/informer-events.ts';

export interface MeshNeighboursDeps {
  readonly client: KubeClient;
  /** Over MeshOperators; whoever shares it starts it. */
  readonly meshes: Informer;
  /** Over all namespaces with their labels; likewise. */
  readonly namespaces: Informer;
  readonly operatorNamespace: string;
}

/** What there is around a MeshOperator that is reviewed: from caches, but for the quotas of its namespace. */
export class MeshNeighbours {
  readonly #deps: MeshNeighboursDeps;
  readonly #resolved = new ResolvedMeshCache(() => true);

  constructor(deps: MeshNeighboursDeps) {
    this.#deps = deps;
  }

  /** Throws what the client throws. */
  async of(mesh: KubernetesObject, signal: AbortSignal): Promise<Neighbours> {
    const { client, meshes, namespaces, operatorNamespace } = this.#deps;
    const { namespace } = mesh.metadata;
    const own = keyText(objectKeyOf(mesh));
    const quotas = await client.list(kindInfo('v1', 'ResourceQuota'), { namespace }, signal);
    return {
      meshes: [...meshes.values()].filter((other) => keyText(objectKeyOf(other)) !== own),
      resolve: (other) => this.#resolved.find(other),
      labelsOf: (name) => {
        const found = namespaces.get(undefined, name);
        return found === undefined ? undefined : (found.metadata.labels ?? {});
      },
      quotas: quotas.items,
      operatorNamespace,
    };
  }
}
