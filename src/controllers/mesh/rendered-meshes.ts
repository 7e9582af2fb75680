import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { resolveMesh } from '../../api/resolve.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { stableJson } from '../../base/stable-json.ts';
import type { RenderContext } from '../../render/render-context.ts';
import { renderMeshOperator } from '../../render/render-mesh-operator.ts';
import type { ObservedRevisions } from '../../render/revisions/plan-revisions.ts';
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

  /** Throws TerminalError with reason InvalidSpec when the spec has problems. */
  of(
    mesh: KubernetesObject,
    observedRevisions: ObservedRevisions,
    context: Omit<RenderContext, 'ownerUid'>,
  ): RenderedMesh {
    const { uid = '', generation } = mesh.metadata;
    const entry = this.#byUid.get(uid);
    const { kubernetesMinor } = context;
    const observed = textOf(observedRevisions);
    const isCurrent =
      entry?.generation === generation &&
      entry?.kubernetesMinor === kubernetesMinor &&
      entry?.observed === observed;
    const held = isCurrent ? entry?.rendered.deref() : undefined;
    if (held !== undefined) return held;
    // The API server has checked the shape; resolveMesh checks the rest.
    const object = mesh as unknown as MeshOperator;
    const resolved = resolveMesh(object);
    const waves = renderMeshOperator(object, resolved, observedRevisions, { ...context, ownerUid: uid });
    const rendered = { resolved, waves };
    this.#byUid.set(uid, { generation, kubernetesMinor, observed, rendered: new WeakRef(rendered) });
    return rendered;
  }

  /** Forgets a mesh that is gone. */
  forget(mesh: KubernetesObject): void {
    this.#byUid.delete(mesh.metadata.uid ?? '');
  }
}

function textOf({ upgrade, revisions }: ObservedRevisions): string {
  return revisions.size === 0 && upgrade === undefined ? '' : stableJson([upgrade, [...revisions]]);
}
