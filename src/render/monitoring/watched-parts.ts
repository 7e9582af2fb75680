import { type ResolvedMesh, revisionLabel, revisionSuffix } from '../../api/resolved-mesh.ts';

/** What is watched of a mesh. */
export type WatchedPart = 'istiod' | 'injector' | 'proxies';

/** The parts that a mesh has. Control planes that it has as MeshOperators of their own count as its. */
export function watchedParts({ pilot, injector, upgrade }: ResolvedMesh): readonly WatchedPart[] {
  const hasControlPlanes = pilot.enabled && upgrade.strategy === 'RevisionBased';
  return [
    ...(pilot.enabled ? (['istiod'] as const) : []),
    ...(injector.enabled || hasControlPlanes ? (['injector'] as const) : []),
    'proxies',
  ];
}

const names: Readonly<Record<WatchedPart, string>> = {
  istiod: 'istiod',
  injector: 'sidecar-injector',
  proxies: 'mesh-proxies',
};

/** Name of the monitor of a part. */
export function monitorName({ revision }: ResolvedMesh, part: WatchedPart): string {
  return `${names[part]}${revisionSuffix(revision)}`;
}

/** Label `job` of all that the monitor of a part brings, which no other mesh has: as PodMonitors have it by themselves. */
export function jobOf(mesh: ResolvedMesh, part: WatchedPart): string {
  return `${mesh.namespace}/${monitorName(mesh, part)}`;
}

/**
 * Regular expression, as a whole, of the revisions that are the mesh's: its own, or where upgrades are `RevisionBased`
 * those of all versions.
 */
export function revisionPattern({ revision, upgrade }: ResolvedMesh): string {
  if (upgrade.strategy === 'InPlace') return revisionLabel(revision);
  return `${revision === '' ? '' : `${revision}-`}\\d+-\\d+-\\d+`;
}
