import type { AuthorityState } from '../../pki/authority-state.ts';
import { PhaseMemory } from '../../pki/phase-memory.ts';

/** What this process remembers of the phase of each authority, by control-plane namespace. */
export class PhaseMemories {
  readonly #memories = new Map<string, PhaseMemory>();

  /** What is remembered of the phase that an authority is in; nothing when it has just entered it. */
  of(namespace: string, state: AuthorityState): PhaseMemory {
    const known = this.#memories.get(namespace);
    if (known?.isOf(state)) return known;
    const memory = new PhaseMemory(state);
    this.#memories.set(namespace, memory);
    return memory;
  }

  /** Of a namespace whose last MeshOperator has gone. */
  forget(namespace: string): void {
    this.#memories.delete(namespace);
  }
}
