import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import { stableJson } from '../../base/stable-json.ts';
import type { ObservedMesh } from '../../render/observed-mesh.ts';
import type { RenderContext } from '../../render/render-context.ts';
import { renderMeshOperator } from '../../render/render-mesh-operator.ts';
import type { Wave } from '../../render/wave.ts';

export interface RenderedMesh {
  readonly resolved: ResolvedMesh;
  readonly waves: readonly Wave[];
}

interface Entry {
  readonly generation: number | undefined;
  readonly kubernetesMinor: number;
  /** What else it was rendered from, as text. */
  readonly observed: string;
  readonly rendered: WeakRef<RenderedMesh>;
}

/**
 * Resolves and renders a MeshOperator, once per generation and version of Kubernetes: most passes are woken by the status of a Deployment,
 * and rendering is pure. Entries are held weakly, so memory is given back between passes.
 */
export class RenderedMeshes {
  readonly #byUid = new Map<string, Entry>();
  readonly #resolved = new ResolvedMeshCache(() => true);

  /** Throws TerminalError with reason InvalidSpec when the spec has problems. */
  resolve(mesh: KubernetesObject): ResolvedMesh {
    return this.#resolved.of(mesh);
  }

  /** Throws as `resolve`. */
  of(
    mesh: KubernetesObject,
    observedMesh: ObservedMesh,
    context: Omit<RenderContext, 'ownerUid'>,
  ): RenderedMesh {
    const { uid = '', generation } = mesh.metadata;
    const entry = this.#byUid.get(uid);
    const { kubernetesMinor } = context;
    const observed = textOf(observedMesh);
    const isCurrent =
      entry?.generation === generation &&
      entry?.kubernetesMinor === kubernetesMinor &&
      entry?.observed === observed;
    const held = isCurrent ? entry?.rendered.deref() : undefined;
    if (held !== undefined) return held;
    const resolved = this.resolve(mesh);
    const waves = renderMeshOperator(mesh as unknown as MeshOperator, resolved, observedMesh, {
      ...context,
      ownerUid: uid,
    });
    const rendered = { resolved, waves };
    this.#byUid.set(uid, { generation, kubernetesMinor, observed, rendered: new WeakRef(rendered) });
    return rendered;
  }

  /** Forgets a mesh that is gone. */
  forget(mesh: KubernetesObject): void {
    this.#byUid.delete(mesh.metadata.uid ?? '');
    this.#resolved.forget(mesh.metadata.uid ?? '');
  }
}

function textOf({ upgrade, revisions, members, peers, primaryAddresses }: ObservedMesh): string {
  const isPlain =
    revisions.size === 0 &&
    upgrade === undefined &&
    members.length === 0 &&
    peers === undefined &&
    primaryAddresses === undefined;
  return isPlain ? '' : stableJson([upgrade, [...revisions], members, peers, primaryAddresses]);
}
