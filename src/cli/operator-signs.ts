import { kindInfo } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { Clock } from '../base/clock.ts';
import { isRecord } from '../base/stable-json.ts';
import type { KubeClient } from '../kube/client.ts';

/** The least time without a sign of life after which an operator counts as gone: the duration of its Lease. */
const leastPatienceMs = 15_000;

export interface OperatorSignsDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Name of the operator's Lease, in whatever namespace. */
  readonly leaseName: string;
}

/**
 * Tells whether an operator is at work: somebody holds its Lease and renews it, or writes the mesh. No instants of other
 * machines are compared: it counts as gone when nothing was seen to change for the Lease's whole duration.
 */
export class OperatorSigns {
  readonly #deps: OperatorSignsDeps;
  #seen: string | undefined;
  #seenAtMs = 0;

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
    return nowMs - this.#seenAtMs < Math.max(leastPatienceMs, ...leases.map(durationMs));
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
