import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import type { Clock } from '../../base/clock.ts';
import { stableJson } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { statusManager } from './field-managers.ts';

/** A message that counts replicas changes with each pod; it is not written more often than this. */
const messageIntervalMs = 5_000;

export interface StatusWriterDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
}

/** What became of a status that was to be written. */
export interface StatusWrite {
  /** The object as the API server has it now, when it was written. */
  readonly written?: KubernetesObject;
  /** Only a message differs and it was written a moment ago: come back after this long. */
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
    const dueInMs = (this.#lastWriteMs.get(uid) ?? Number.NEGATIVE_INFINITY) + messageIntervalMs - nowMs;
    if (dueInMs > 0 && stableJson(withoutMessages(before)) === stableJson(withoutMessages(status))) {
      return { dueInMs };
    }
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

function withoutMessages(status: MeshOperatorStatus): unknown {
  return { ...status, conditions: status.conditions?.map(({ message: _text, ...rest }) => rest) };
}
