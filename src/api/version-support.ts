import type { IstioVersion } from './versions.ts';

interface VersionSupport {
  /** Minor versions of Kubernetes that it is supported on, the first and the last. */
  readonly kubernetes: readonly [first: number, last: number];
  /** Month in which Istio ends its support, as announced. */
  readonly endOfLife: string;
}

/** By minor of Istio (istio.io, Supported Releases). Of a minor that is not in it nothing is known. */
const support: Readonly<Record<string, VersionSupport>> = {
  '1.29': { kubernetes: [31, 35], endOfLife: '2026-08' },
  '1.30': { kubernetes: [32, 36], endOfLife: '2026-11' },
};

/** What speaks against an Istio on a version of Kubernetes: a sentence, and what to do. */
export interface SupportConcern {
  readonly why: string;
  readonly fix: string;
}

const newerIstio = 'take the mesh to a newer version of Istio (spec.version)';

/** Undefined where the versions go together, or nobody knows. */
export function kubernetesConcern(
  { minor }: IstioVersion,
  kubernetesMinor: number,
): SupportConcern | undefined {
  const [first, last] = support[minor]?.kubernetes ?? [kubernetesMinor, kubernetesMinor];
  if (kubernetesMinor >= first && kubernetesMinor <= last) return undefined;
  return {
    why: `Istio ${minor} is supported on Kubernetes 1.${first} to 1.${last}, and this is 1.${kubernetesMinor}`,
    fix: kubernetesMinor < first ? 'upgrade Kubernetes first' : newerIstio,
  };
}

/** Undefined until the month in which its support ends is over. */
export function endOfLifeConcern({ minor }: IstioVersion, now: Date): SupportConcern | undefined {
  const endOfLife = support[minor]?.endOfLife;
  if (endOfLife === undefined || now.toISOString().slice(0, 7) <= endOfLife) return undefined;
  return {
    why: `Istio ${minor} was announced to be supported until ${endOfLife}: what is found in it since then is not mended`,
    fix: newerIstio,
  };
}

/** All that speaks against a version, in one sentence each. */
export function supportWarnings(version: IstioVersion, kubernetesMinor: number, now: Date): string[] {
  return [kubernetesConcern(version, kubernetesMinor), endOfLifeConcern(version, now)].flatMap((concern) =>
    concern === undefined ? [] : [`${concern.why}; ${concern.fix}`],
  );
}
