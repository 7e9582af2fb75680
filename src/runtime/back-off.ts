/** How long to wait between tries. */
export interface BackOffOptions {
  readonly firstMs: number;
  readonly capMs: number;
  /** Each wait is this much longer than the one before; default 2. */
  readonly factor?: number;
  /** The wait is taken at random from `[1 - jitter, 1]` of its full length; default 0.5. */
  readonly jitter?: number;
}

/** A number in [0, 1); tests pass their own. */
export type RandomSource = () => number;

/**
 * The wait before try number `attempt` (1 for the first repetition), exponential up to the cap.
 * Jitter keeps many keys or many replicas that failed together from coming back together.
 */
export function backOffMs(attempt: number, options: BackOffOptions, random: RandomSource): number {
  const { firstMs, capMs, factor = 2, jitter = 0.5 } = options;
  // The exponent is bounded so that the product stays finite however often a key has failed.
  const fullMs = Math.min(capMs, firstMs * factor ** Math.min(attempt - 1, 60));
  return Math.round(fullMs * (1 - jitter * random()));
}
