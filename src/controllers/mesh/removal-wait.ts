import type { Clock } from '../../base/clock.ts';
import { identityText } from '../../inventory/inventory.ts';
import type { Lingering } from './lingering.ts';

/** What a removal waits for, and for how long. */
export interface RemovalHold {
  /** What holds up the rest; empty when nothing does. */
  readonly held: readonly Lingering[];
  /** Since when nothing has gone, once that has lasted: somebody has to look. */
  readonly blockedSince?: Date;
  /** When the mesh goes without what is held; absent while it must not. */
  readonly goesWithoutAt?: Date;
  /** When to look again at what nothing tells of. */
  readonly retryInMs?: number;
}

/** What stands still for as long is shown as blocked: load balancers and pods that end take their time. */
const patienceMs = 60_000;
const refusedRetryMs = 10_000;
const podRetryMs = 1_000;

/** How long one mesh has waited for the same objects, and which of them it no longer waits for. */
export class RemovalWait {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #givenUp = new Set<string>();
  #for = '';
  #since: Date;
  #sinceMs: number;

  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#since = clock.now();
    this.#sinceMs = clock.monotonicMs();
  }

  /** Of what a stage has left: what to wait for, and what not. */
  judge(
    stage: number,
    found: readonly Lingering[],
  ): { readonly held: readonly Lingering[]; readonly givenUp: readonly Lingering[] } {
    const held = found.filter((lingering) => !this.#isGivenUp(lingering));
    if (held.length > 0) {
      this.#waitFor([stage, ...held.map(({ id }) => identityText(id)).sort()].join());
      if (this.#waitedMs() >= this.#deadlineMs) {
        for (const { id } of held.filter(({ mayBeLeft }) => mayBeLeft)) this.#givenUp.add(identityText(id));
      }
    }
    return {
      held: found.filter((lingering) => !this.#isGivenUp(lingering)),
      givenUp: found.filter((lingering) => this.#isGivenUp(lingering)),
    };
  }

  /** What to tell of the objects that are waited for, and when to look again. */
  report(held: readonly Lingering[]): RemovalHold {
    const waitedMs = this.#waitedMs();
    const blockedInMs = Math.min(patienceMs, this.#deadlineMs / 2) - waitedMs;
    const deadlineInMs = this.#deadlineMs - waitedMs;
    const isRefused = held.some(({ refusal }) => refusal !== undefined);
    const isPod = held.some(({ id }) => id.kind === 'Pod');
    const dueMs = [
      ...[blockedInMs, deadlineInMs].filter((ms) => ms > 0),
      ...(isRefused ? [refusedRetryMs] : []),
      ...(isPod ? [podRetryMs] : []),
    ];
    return {
      held,
      ...(blockedInMs <= 0 ? { blockedSince: this.#since } : {}),
      ...(held.every(({ mayBeLeft }) => mayBeLeft)
        ? { goesWithoutAt: new Date(this.#since.getTime() + this.#deadlineMs) }
        : {}),
      ...(dueMs.length === 0 ? {} : { retryInMs: Math.min(...dueMs) }),
    };
  }

  #isGivenUp({ id, mayBeLeft }: Lingering): boolean {
    return mayBeLeft && this.#givenUp.has(identityText(id));
  }

  #waitFor(what: string): void {
    if (what === this.#for) return;
    this.#for = what;
    this.#since = this.#clock.now();
    this.#sinceMs = this.#clock.monotonicMs();
  }

  #waitedMs(): number {
    return this.#clock.monotonicMs() - this.#sinceMs;
  }
}
