import type { AuthorityState } from './authority-state.ts';
import type { RotationStep } from './decide-rotation.ts';
import { type Blocker, phaseBlockers } from './gates.ts';
import type { ObservedProxy } from './observed-trust.ts';

/** A proxy to ask. */
export interface ProxyToAsk {
  /** Of its pod: another pod of the same name is another proxy. */
  readonly uid: string;
  /** `namespace/name` of its pod. */
  readonly pod: string;
}

/**
 * What one process remembers of a phase and the bundle in it between passes. Losing it costs a soak that begins anew. Its times are of a
 * clock that nobody sets.
 */
export class PhaseMemory {
  readonly #phaseSince: string | undefined;
  readonly #orderSince: string | undefined;
  /** Uids of proxies that were seen where the phase wants them. */
  readonly #done = new Set<string>();
  #openSinceMs: number | undefined;

  /** Nothing yet, of the phase that an authority is in. */
  constructor({ rotation, exchange }: AuthorityState) {
    this.#phaseSince = rotation?.phaseSince;
    this.#orderSince = exchange?.since;
  }

  /** False for an authority that has entered another phase since, begun the same one anew, or trusts other roots. */
  isOf({ rotation, exchange }: AuthorityState): boolean {
    return rotation?.phaseSince === this.#phaseSince && exchange?.since === this.#orderSince;
  }

  /** How many proxies were seen where the phase wants them. */
  get doneCount(): number {
    return this.#done.size;
  }

  /** Since when no gate but that of other members was seen shut, as `decideRotation` wants to know it. */
  openForMs(nowMs: number): number | undefined {
    return this.#openSinceMs === undefined ? undefined : nowMs - this.#openSinceMs;
  }

  /**
   * Whom to ask in a pass that found every replica where it should be: each proxy until it was seen where the phase
   * wants it, and all of them once more when the soak is over. `openForMs` must be what the pass decides by: by another
   * one, taken when they have answered, a soak could end in a pass that has not asked everybody.
   */
  stillToAsk<Proxy extends { readonly uid: string }>(
    proxies: readonly Proxy[],
    openForMs: number | undefined,
    soakMs: number,
  ): Proxy[] {
    if (openForMs !== undefined && openForMs >= soakMs) this.#done.clear();
    return proxies.filter(({ uid }) => !this.#done.has(uid));
  }

  /** Whoever was asked and keeps no gate shut is done. */
  noteAnswers(state: AuthorityState, asked: readonly ProxyToAsk[], proxies: readonly ObservedProxy[]): void {
    const held = new Set(
      phaseBlockers(state, { replicas: [], bundles: [], proxies }).map(({ what }) => what),
    );
    for (const { uid, pod } of asked) if (!held.has(`pod ${pod}`)) this.#done.add(uid);
  }

  /**
   * Gates are open from the first step on that waits for nothing but other members, until one is seen shut. A soak is for
   * proxies that verify istiod by files which nobody can see, as those of clusters that follow do.
   */
  noteStep(step: RotationStep, nowMs: number): void {
    const isShut = step.step === 'wait' && (step.blockers.length === 0 || step.blockers.some(isShutting));
    if (isShut) this.#openSinceMs = undefined;
    else if (step.step === 'soak' || step.step === 'wait') this.#openSinceMs ??= nowMs;
  }
}

function isShutting({ gate }: Blocker): boolean {
  return gate !== 'Members';
}
