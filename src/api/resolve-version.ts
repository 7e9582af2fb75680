import { type IstioVersion, istioVersions } from './versions.ts';

/** Minors that a spec may name, newest first, for messages. */
export function supportedVersionsText(): string {
  return istioVersions.map((version) => `${version.minor} (up to ${version.patch})`).join(', ');
}

/**
 * The release that `spec.version` means: the newest patch of a minor, or the patch itself.
 * Undefined when the minor is not supported, or the patch is newer than those we know.
 */
export function resolveVersion(text: string | undefined): IstioVersion | undefined {
  if (text === undefined) return istioVersions[0];
  const match = /^([0-9]+\.[0-9]+)(?:\.([0-9]+)|-latest)?$/.exec(text);
  const row = istioVersions.find((version) => version.minor === match?.[1]);
  const patch = match?.[2];
  if (row === undefined || patch === undefined) return row;
  const newestPatch = Number(row.patch.split('.')[2]);
  return Number(patch) <= newestPatch
    ? { minor: row.minor, patch: `${row.minor}.${Number(patch)}` }
    : undefined;
}
