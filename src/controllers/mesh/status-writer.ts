import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import type { Clock } from '../../base/clock.ts';
import { stableJson } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { statusManager } from './field-managers.ts';
import { leastStatusIntervalMs } from './status-interval.ts';

export interface StatusWriterDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
}

/** What became of a status that was to be written. */
export interface StatusWrite {
  /** The object as the API server has it now, when it was written. */
  readonly written?: KubernetesObject;
  /** Only messages or progress differ, and they were written a moment ago: come back after this long. */
  readonly dueInMs?: number;
}

/** Writes the mesh controller's part of `status` by server-side apply, and only when it differs. */
export class StatusWriter {
  readonly #deps: StatusWriterDeps;
  readonly #lastWriteMs = new Map<string, number>();

  constructor(deps: StatusWriterDeps) {
    this.#deps = deps;
  }

  async write(mesh: KubernetesObject, status: MeshOperatorStatus, signal: AbortSignal): Promise<StatusWrite> {
    const before = (mesh.status ?? {}) as MeshOperatorStatus;
    if (stableJson(before) === stableJson(status)) return {};
    const uid = mesh.metadata.uid ?? '';
    const nowMs = this.#deps.clock.monotonicMs();
    const lastWriteMs = this.#lastWriteMs.get(uid) ?? Number.NEGATIVE_INFINITY;
    const dueInMs = lastWriteMs + leastStatusIntervalMs(before, status) - nowMs;
    if (dueInMs > 0) return { dueInMs };
    this.#lastWriteMs.set(uid, nowMs);
    const written = await this.#deps.client.apply(
      {
        apiVersion: mesh.apiVersion,
        kind: mesh.kind,
        metadata: { name: mesh.metadata.name, namespace: mesh.metadata.namespace ?? '' },
        status,
      },
      { fieldManager: statusManager, force: true, subresource: 'status' },
      signal,
    );
    return { written };
  }

  /** Forgets a mesh that is gone. */
  forget(mesh: KubernetesObject): void {
    this.#lastWriteMs.delete(mesh.metadata.uid ?? '');
  }
}
