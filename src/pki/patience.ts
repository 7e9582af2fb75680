import type { Blocker } from './gates.ts';

/** Other clusters that hold something up, as the policy on absent ones has it. */
export interface Holders {
  /** Those that it waits for; they say until when. */
  readonly waitedFor: readonly Blocker[];
  /** Those that it has waited for long enough. */
  readonly leftBehind: readonly Blocker[];
  /** How long they may hold it still; Infinity: for as long as it takes. */
  readonly leftMs: number;
}

/** Of those that hold it up since an instant (RFC 3339), whom it goes on without. Without `proceedAfterMs`: nobody. */
export function holdersOf(
  blockers: readonly Blocker[],
  since: string | undefined,
  proceedAfterMs: number | undefined,
  now: Date,
): Holders {
  if (proceedAfterMs === undefined || since === undefined) {
    return { waitedFor: blockers, leftBehind: [], leftMs: Infinity };
  }
  const until = new Date(Date.parse(since) + proceedAfterMs);
  const leftMs = until.getTime() - now.getTime();
  if (leftMs <= 0) return { waitedFor: [], leftBehind: blockers, leftMs: 0 };
  const waitedFor = blockers.map((blocker) => ({
    ...blocker,
    why: `${blocker.why} (waited for until ${until.toISOString()})`,
  }));
  return { waitedFor, leftBehind: [], leftMs };
}
