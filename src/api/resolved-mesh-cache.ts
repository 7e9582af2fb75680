import type { KubernetesObject } from './kubernetes-object.ts';
import type { MeshOperator } from './mesh-operator.ts';
import { resolveMesh } from './resolve.ts';
import type { ResolvedMesh } from './resolved-mesh.ts';

interface Entry {
  readonly generation: number | undefined;
  readonly resolved: WeakRef<ResolvedMesh>;
}

/** Resolves MeshOperators, each once per generation. Entries are held weakly, so memory is given back between uses. */
export class ResolvedMeshCache {
  readonly #byUid = new Map<string, Entry>();

  /** Throws TerminalError with reason InvalidSpec when the spec has problems. */
  of(object: KubernetesObject): ResolvedMesh {
    const { uid = '', generation } = object.metadata;
    const entry = this.#byUid.get(uid);
    const held = entry?.generation === generation ? entry?.resolved.deref() : undefined;
    if (held !== undefined) return held;
    // The API server has checked the shape; resolveMesh checks the rest.
    const resolved = resolveMesh(object as unknown as MeshOperator);
    this.#byUid.set(uid, { generation, resolved: new WeakRef(resolved) });
    return resolved;
  }

  /** Forgets a mesh that is gone. */
  forget(uid: string): void {
    this.#byUid.delete(uid);
  }
}
