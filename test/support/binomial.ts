/** The most and the fewest hits that are within bounds. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/**
 * Between what numbers of hits a right system stays, when each of `count` independent requests is one with probability
 * `share`: the narrowest range beyond whose ends a right system falls with a probability of less than 1e-9 together.
 */
export function binomialBounds(count: number, share: number, beyond = 1e-9): Bounds {
  const chances = binomialChances(count, share);
  return { least: tailLength(chances, beyond / 2), most: count - tailLength(chances.reverse(), beyond / 2) };
}

/** Probability of 0, 1 ... `count` hits. */
function binomialChances(count: number, share: number): number[] {
  if (share <= 0 || share >= 1) throw new Error(`share ${share} is not between 0 and 1`);
  let logChance = count * Math.log1p(-share);
  const odds = Math.log(share) - Math.log1p(-share);
  return Array.from({ length: count + 1 }, (_, hits) => {
    if (hits > 0) logChance += Math.log((count - hits + 1) / hits) + odds;
    return Math.exp(logChance);
  });
}

/** How many of the first chances are together less than the limit. */
function tailLength(chances: readonly number[], limit: number): number {
  let sum = 0;
  return chances.findIndex((chance) => {
    sum += chance;
    return sum >= limit;
  });
}
