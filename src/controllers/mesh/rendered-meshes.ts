import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { resolveMesh } from '../../api/resolve.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { renderMesh, type Wave } from '../../render/render-mesh.ts';

export interface RenderedMesh {
  readonly resolved: ResolvedMesh;
  readonly waves: readonly Wave[];
}

interface Entry {
  readonly generation: number | undefined;
  readonly rendered: WeakRef<RenderedMesh>;
}

/**
 * Resolves and renders a MeshOperator, once per generation: most passes are woken by the status of a Deployment,
 * and rendering is pure. Entries are held weakly, so memory is given back between passes.
 */
export class RenderedMeshes {
  readonly #byUid = new Map<string, Entry>();

  /** Throws TerminalError with reason InvalidSpec when the spec has problems. */
  of(mesh: KubernetesObject): RenderedMesh {
    const { uid = '', generation } = mesh.metadata;
    const entry = this.#byUid.get(uid);
    const held = entry?.generation === generation ? entry?.rendered.deref() : undefined;
    if (held !== undefined) return held;
    // The API server has checked the shape; resolveMesh checks the rest.
    const resolved = resolveMesh(mesh as unknown as MeshOperator);
    const rendered = { resolved, waves: renderMesh(resolved, { ownerUid: uid }) };
    this.#byUid.set(uid, { generation, rendered: new WeakRef(rendered) });
    return rendered;
  }

  /** Forgets a mesh that is gone. */
  forget(mesh: KubernetesObject): void {
    this.#byUid.delete(mesh.metadata.uid ?? '');
  }
}
