/** Clocks of a cluster may differ by this much: a certificate is valid a little before it is made. */
export const clockSkewMs = 5 * 60_000;
