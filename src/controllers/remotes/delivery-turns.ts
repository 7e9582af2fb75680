import { keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import type { CredentialKey } from './credential-secret.ts';

interface Turns {
  /** Clusters that are being delivered to, and whether the one is alone. */
  readonly taken: Set<string>;
  isAlone: boolean;
  /** First come, first served. */
  readonly waiting: Set<string>;
}

/**
 * Who of the other clusters of a mesh is just being delivered to, from before replicas are asked what they have counted
 * until the Secret is written: one alone, or several of which none is told by what replicas count.
 */
export class DeliveryTurns {
  readonly #meshes = new Map<string, Turns>();
  readonly #onFree: (key: CredentialKey) => void;

  /** `onFree` is called for who has waited longest when a turn has ended. */
  constructor(onFree: (key: CredentialKey) => void) {
    this.#onFree = onFree;
  }

  /** Gives what ends the turn; undefined where it has to wait, and will be called. */
  take({ mesh, clusterName }: CredentialKey, isAlone: boolean): (() => void) | undefined {
    const turns = this.#turnsOf(mesh);
    if (turns.taken.size > 0 && (isAlone || turns.isAlone)) {
      turns.waiting.add(clusterName);
      return undefined;
    }
    turns.waiting.delete(clusterName);
    turns.taken.add(clusterName);
    turns.isAlone = isAlone;
    return () => this.#end(mesh, clusterName);
  }

  #end(mesh: ObjectKey, clusterName: string): void {
    const { taken, waiting } = this.#turnsOf(mesh);
    taken.delete(clusterName);
    if (taken.size > 0) return;
    const [next] = waiting;
    if (next === undefined) {
      this.#meshes.delete(keyText(mesh));
      return;
    }
    waiting.delete(next);
    this.#onFree({ mesh, clusterName: next });
  }

  #turnsOf(mesh: ObjectKey): Turns {
    const turns = this.#meshes.get(keyText(mesh)) ?? { taken: new Set(), isAlone: false, waiting: new Set() };
    this.#meshes.set(keyText(mesh), turns);
    return turns;
  }
}
