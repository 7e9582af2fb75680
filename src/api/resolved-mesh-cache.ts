import { TerminalError } from '../base/errors.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import type { MeshOperator } from './mesh-operator.ts';
import { resolveMesh } from './resolve.ts';
import type { ResolvedMesh } from './resolved-mesh.ts';

interface Entry {
  readonly generation: number | undefined;
  readonly resolved: WeakRef<ResolvedMesh>;
}

/** Says of a MeshOperator whether what its spec asks for may be done. */
export type MayAct = (mesh: KubernetesObject) => boolean;

/**
 * Resolves MeshOperators, each once per generation, of which `mayAct` says that they may be acted on. Entries are held
 * weakly, so memory is given back between uses.
 */
export class ResolvedMeshCache {
  readonly #mayAct: MayAct;
  readonly #byUid = new Map<string, Entry>();

  constructor(mayAct: MayAct) {
    this.#mayAct = mayAct;
  }

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

  /** Undefined for a spec with problems, and for one that may not be acted on: the mesh controller is the one to say so. */
  find(object: KubernetesObject): ResolvedMesh | undefined {
    if (!this.#mayAct(object)) return undefined;
    try {
      return this.of(object);
    } catch (error) {
      if (error instanceof TerminalError) return undefined;
      throw error;
    }
  }

  /** Forgets a mesh that is gone. */
  forget(uid: string): void {
    this.#byUid.delete(uid);
  }
}
