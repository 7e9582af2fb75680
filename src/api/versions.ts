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

/** What an istiod loses of another cluster when the bytes of the kubeconfig change by which it knows that. */
export type KubeconfigChangeCost = 'Nothing' | 'Moment' | 'UntilRestart';

/**
 * Of a release such as `1.30.3`; undefined for a text that is none. Before 1.30 the endpoints are gone until they have been
 * listed anew. From 1.30.0 to 1.30.3 they are gone until istiod starts anew (istio/istio#61043): it keeps the old registry
 * until the new one has synced, and then removes by the name of the cluster what both share.
 */
export function kubeconfigChangeCost(release: string): KubeconfigChangeCost | undefined {
  const match = /^([0-9]+\.[0-9]+)\.([0-9]+)/.exec(release);
  if (match === null) return undefined;
  const [, minor = '', patch] = match;
  if (!isAtLeast({ minor, patch: release }, '1.30')) return 'Moment';
  return minor === '1.30' && Number(patch) <= 3 ? 'UntilRestart' : 'Nothing';
}

/** [1, 31] of `1.31`. */
function numbersOf(minor: string): readonly [number, number] {
  const [major, number] = minor.split('.').map(Number);
  return [major ?? 0, number ?? 0];
}
