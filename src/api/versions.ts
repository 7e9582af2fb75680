/** One supported Istio release. */
export interface IstioVersion {
  /** `1.31` */
  readonly minor: string;
  /** `1.31.1`: the tag of its images unless the spec names another. */
  readonly patch: string;
}

/** Newest first; the first row is the default. */
export const istioVersions: readonly [IstioVersion, ...IstioVersion[]] = [
  { minor: '1.31', patch: '1.31.1' },
  { minor: '1.30', patch: '1.30.3' },
  { minor: '1.29', patch: '1.29.6' },
];

/** True for the minor `minimum` and those after it. */
export function isAtLeast({ minor }: IstioVersion, minimum: string): boolean {
  const [[major, number], [least, leastNumber]] = [numbersOf(minor), numbersOf(minimum)];
  return major === least ? number >= leastNumber : major > least;
}

/** [1, 31] of `1.31`. */
function numbersOf(minor: string): readonly [number, number] {
  const [major, number] = minor.split('.').map(Number);
  return [major ?? 0, number ?? 0];
}
