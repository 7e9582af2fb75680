/**
 * How far the clock of a server is ahead of ours, in milliseconds; negative when it is behind. `serverTime` is what its
 * answer had as `Date`, which leaves out the fraction of the second; it was asked and has answered at these times of ours.
 * Zero for any difference that the left-out fraction or the time of the answer may explain. Pure.
 */
export function clockSkewMs(serverTime: Date, askedAtMs: number, answeredAtMs: number): number {
  const earliest = serverTime.getTime();
  if (earliest > answeredAtMs) return earliest - answeredAtMs;
  return Math.min(0, earliest + 1_000 - askedAtMs);
}
