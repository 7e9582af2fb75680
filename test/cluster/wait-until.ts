/** What a wait is for and how long it may last. */
export interface WaitOptions {
  /** Completes the sentence "gave up waiting until ...". */
  readonly what: string;
  /** A bound for what hangs, not a judgement of how fast the machine is. @defaultValue 240,000 */
  readonly limitMs?: number;
  readonly intervalMs?: number;
  /** Added to the error, for example the end of a log. */
  readonly explain?: () => Promise<string>;
}

/**
 * Asks again and again until the answer is neither undefined nor false, and returns it.
 * A check that throws counts as "not yet". Throws, with the last failure, when the limit has passed.
 */
export async function waitUntil<T>(
  options: WaitOptions,
  check: () => Promise<T | undefined | false>,
): Promise<T> {
  const limitMs = options.limitMs ?? 240_000;
  const deadline = performance.now() + limitMs;
  let failure: unknown;
  for (;;) {
    try {
      const answer = await check();
      failure = undefined;
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? 50));
  }
  const reason =
    failure === undefined ? '' : `: ${failure instanceof Error ? failure.message : String(failure)}`;
  const explanation = options.explain === undefined ? '' : `\n${await options.explain()}`;
  throw new Error(
    `gave up waiting until ${options.what} after ${limitMs / 1000} s${reason}${explanation}`,
    failure === undefined ? undefined : { cause: failure },
  );
}
