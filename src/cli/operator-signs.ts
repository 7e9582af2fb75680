import { kindInfo } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { Clock } from '../base/clock.ts';
import { isRecord } from '../base/stable-json.ts';
import type { KubeClient } from '../kube/client.ts';

/** The least time without a sign of life after which an operator counts as gone: the duration of its Lease. */
const leastPatienceMs = 15_000;
/** An operator that lives and may not, or cannot, do anything about the mesh does not help. */
const beginPatienceMs = 30_000;

export interface OperatorSignsDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Name of the operator's Lease, in whatever namespace. */
  readonly leaseName: string;
  /** How long an operator may wait for one object. */
  readonly deadlineMs: number;
}

/**
 * Tells whether an operator is at work on a mesh that is being deleted: somebody holds its Lease and renews it, or writes the
 * mesh. No instants of other machines are compared: it counts as gone when nothing was seen to change for the Lease's whole
 * duration, and as useless when it renews its Lease but does not begin, or does not get on within its own deadline.
 */
export class OperatorSigns {
  readonly #deps: OperatorSignsDeps;
  #seen: string | undefined;
  #seenAtMs = 0;
  #seenMesh: string | undefined;
  #seenMeshAtMs = 0;

  constructor(deps: OperatorSignsDeps) {
    this.#deps = deps;
  }

  /** True when somebody holds the Lease, whether alive or not. */
  async isHeld(signal: AbortSignal): Promise<boolean> {
    return (await this.#heldLeases(signal)).length > 0;
  }

  /** Looks again; false when there was no sign for too long. */
  async isAtWork(mesh: KubernetesObject, signal: AbortSignal): Promise<boolean> {
    const leases = await this.#heldLeases(signal);
    const seen = [mesh, ...leases].map(({ metadata }) => metadata.resourceVersion).join();
    const nowMs = this.#deps.clock.monotonicMs();
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#seenAtMs = nowMs;
    }
    if (mesh.metadata.resourceVersion !== this.#seenMesh) {
      this.#seenMesh = mesh.metadata.resourceVersion;
      this.#seenMeshAtMs = nowMs;
    }
    const hasBegun = isRecord(mesh.status) && mesh.status.state === 'Deleting';
    const meshPatienceMs = hasBegun ? this.#deps.deadlineMs + beginPatienceMs : beginPatienceMs;
    return (
      nowMs - this.#seenAtMs < Math.max(leastPatienceMs, ...leases.map(durationMs)) &&
      nowMs - this.#seenMeshAtMs < meshPatienceMs
    );
  }

  async #heldLeases(signal: AbortSignal): Promise<KubernetesObject[]> {
    const { client, leaseName } = this.#deps;
    const options = { fieldSelector: `metadata.name=${leaseName}` };
    const { items } = await client.list(kindInfo('coordination.k8s.io/v1', 'Lease'), options, signal);
    return items.filter(({ spec }) => isRecord(spec) && Boolean(spec.holderIdentity));
  }
}

function durationMs({ spec }: KubernetesObject): number {
  return isRecord(spec) ? Number(spec.leaseDurationSeconds ?? 0) * 1000 : 0;
}
