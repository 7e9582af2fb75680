import type { IstioVersion } from './versions.ts';

/**
 * Why a control plane must not be replaced by one of another version, as a sentence; undefined when it may. Proxies of the
 * mesh stay behind until their pods are made anew, and Istio supports those of the minor before (Istio: Supported
 * Releases, control plane and data plane skew); the same holds for the way back.
 */
export function skewProblem(installed: string, wanted: IstioVersion): string | undefined {
  const [from, to] = [minorOf(installed), minorOf(wanted.patch)];
  const distance = Math.abs(to - from);
  if (distance <= 1) return undefined;
  const next = wanted.patch.replace(/^(\d+)\.\d+.*$/, `$1.${from + Math.sign(to - from)}`);
  return `spec.version: ${installed} is installed, and ${wanted.patch} is ${distance} minors away, which its proxies could not follow. Set ${next} first and have the workloads restarted, or give the mesh upgrades that are RevisionBased`;
}

/** 31 of `1.31.1`. */
function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}
