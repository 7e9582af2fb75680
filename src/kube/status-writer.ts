import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { Condition, MeshOperatorStatus } from '../api/mesh-operator-status.ts';
import type { Clock } from '../base/clock.ts';
import { stableJson } from '../base/stable-json.ts';
import type { KubeClient } from './client.ts';

/** What one controller says in `status`: its own fields, and its own conditions. */
export type StatusPart = Partial<MeshOperatorStatus>;

export interface StatusWriterOptions {
  /** One for each controller: server-side apply keeps their parts apart. */
  readonly fieldManager: string;
  /** Fields of `status` that this controller owns, beside its conditions. */
  readonly fields: readonly Exclude<keyof MeshOperatorStatus, 'conditions'>[];
  /** Types of the conditions that it owns. */
  readonly conditions: readonly string[];
  /**
   * How soon after the last write this change may be written, in milliseconds; default at once. For what changes with
   * every pod.
   */
  readonly leastIntervalMs?: (before: StatusPart, after: StatusPart) => number;
}

export interface StatusWriterDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
}

/** What became of a status that was to be written. */
export interface StatusWrite {
  /** The object as the API server has it now, when it was written. */
  readonly written?: KubernetesObject;
  /** It differs too little, and was written a moment ago: come back after this long. */
  readonly dueInMs?: number;
}

/**
 * Writes one controller's part of a MeshOperator's `status` by server-side apply, and only when it differs. Several
 * controllers write to one status: none sees or touches what another one says.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #deps: StatusWriterDeps;
  readonly #lastWriteMs = new Map<string, number>();

  constructor(options: StatusWriterOptions, deps: StatusWriterDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** What the mesh's status says that is this controller's. */
  partOf(mesh: KubernetesObject): StatusPart {
    const status = (mesh.status ?? {}) as MeshOperatorStatus;
    const { fields, conditions: types } = this.#options;
    const conditions = (status.conditions ?? []).filter(({ type }) => types.includes(type));
    return {
      ...Object.fromEntries(
        fields.flatMap((field) => (status[field] === undefined ? [] : [[field, status[field]]])),
      ),
      ...(conditions.length === 0 ? {} : { conditions }),
    };
  }

  /** `part` is all that this controller says: what it leaves out is taken back. */
  async write(mesh: KubernetesObject, part: StatusPart, signal: AbortSignal): Promise<StatusWrite> {
    const before = this.partOf(mesh);
    if (comparable(before) === comparable(part)) return {};
    const uid = mesh.metadata.uid ?? '';
    const nowMs = this.#deps.clock.monotonicMs();
    const lastWriteMs = this.#lastWriteMs.get(uid) ?? Number.NEGATIVE_INFINITY;
    const dueInMs = lastWriteMs + (this.#options.leastIntervalMs?.(before, part) ?? 0) - nowMs;
    if (dueInMs > 0) return { dueInMs };
    this.#lastWriteMs.set(uid, nowMs);
    const written = await this.#deps.client.apply(
      {
        apiVersion: mesh.apiVersion,
        kind: mesh.kind,
        metadata: { name: mesh.metadata.name, namespace: mesh.metadata.namespace ?? '' },
        status: part,
      },
      { fieldManager: this.#options.fieldManager, force: true, subresource: 'status' },
      signal,
    );
    return { written };
  }

  /** Forgets a mesh that is gone. */
  forget(mesh: KubernetesObject): void {
    this.#lastWriteMs.delete(mesh.metadata.uid ?? '');
  }
}

/** Conditions are a map by their type: the order in which several writers have come says nothing. */
function comparable({ conditions, ...fields }: StatusPart): string {
  const byType = (a: Condition, b: Condition) => (a.type < b.type ? -1 : 1);
  return stableJson({ ...fields, conditions: [...(conditions ?? [])].sort(byType) });
}
