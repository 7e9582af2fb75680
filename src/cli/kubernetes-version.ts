import { UsageError } from './terminal.ts';

/** What is assumed where nobody says which Kubernetes it is. */
export const newestKubernetes = '1.35';

/** The minor version in what `--kubernetes-version` was given: 35 for 1.35. Throws UsageError for anything else. */
export function minorOf(version: string): number {
  const minor = /^v?1\.([0-9]{1,3})(\.|$)/.exec(version)?.[1];
  if (minor === undefined)
    throw new UsageError(`--kubernetes-version: ${version} is not a version such as 1.35`);
  return Number(minor);
}
