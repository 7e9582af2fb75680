import { wholeSeconds } from '../../api/conditions.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../api/labels.ts';
import type { MeshOperatorSpec } from '../../api/mesh-operator-spec.ts';
import type { SpecRecord } from '../../api/mesh-operator-status.ts';
import {
  historyLimitOf,
  specRecordId,
  specRecordName,
  specRecordObject,
  withSpecRecord,
} from '../../api/spec-history.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { objectKeyOf } from '../../runtime/informer-events.ts';
import { objectManager } from './field-managers.ts';

export interface SpecKeeperDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
}

/**
 * Keeps the specs in which a mesh has been Ready, each as a ControllerRevision, so that a person can go back to one. What
 * is kept is named in status, by which nothing has to be read.
 */
export class SpecKeeper {
  readonly #deps: SpecKeeperDeps;

  constructor(deps: SpecKeeperDeps) {
    this.#deps = deps;
  }

  /** True when this generation is not in the history yet. Control planes that a mesh makes have its history. */
  isNew({ metadata, spec }: KubernetesObject, history: readonly SpecRecord[]): boolean {
    if (ownerByLabels(metadata.labels) !== undefined) return false;
    const limit = historyLimitOf(spec as MeshOperatorSpec);
    return history.length > limit || (limit > 0 && history[0]?.generation !== metadata.generation);
  }

  /** The history with the spec as it is, after it has been written and what is too old has been deleted. */
  async keep(
    mesh: KubernetesObject,
    version: string,
    history: readonly SpecRecord[],
    signal: AbortSignal,
  ): Promise<readonly SpecRecord[]> {
    const { client, clock } = this.#deps;
    const { name, generation = 0 } = mesh.metadata;
    const limit = historyLimitOf(mesh.spec as MeshOperatorSpec);
    const record = {
      ...{ name: specRecordName(name, mesh.spec), generation, version },
      readyAt: wholeSeconds(clock.now()),
    };
    const { kept, dropped } = withSpecRecord(history, record, limit);
    const isKept = history.some((known) => known.name === record.name);
    if (limit > 0 && !isKept) {
      await client.apply(specRecordObject(mesh), { fieldManager: objectManager, force: true }, signal);
    }
    await this.forget(mesh, dropped, signal);
    return kept;
  }

  /** Deletes what is kept, or a part of it. */
  async forget(mesh: KubernetesObject, history: readonly SpecRecord[], signal: AbortSignal): Promise<void> {
    for (const { name } of history) {
      await this.#deps.client.delete(specRecordId(objectKeyOf(mesh), name), {}, signal);
    }
  }
}
