import { claimedBundle, claimedRevision, claimedTenant, earlierClaim } from '../../api/claims.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MemberNamespaces } from './member-namespaces.ts';

/** What a tenant whose mesh is removed gives back. */
export interface Departure {
  readonly tenant: string;
  /** Namespace of its control plane. */
  readonly home: string;
  /** What members follow; empty where nobody knows any more. */
  readonly revision: string;
  /** The ConfigMap with its roots. */
  readonly bundle: string | undefined;
  readonly members: readonly KubernetesObject[];
}

/** Who else there is. */
export interface DepartureView {
  readonly meshesClaiming: (key: string) => Iterable<KubernetesObject>;
  /** Namespaces that carry the operator's label of a tenant. */
  readonly membersOf: (tenant: string) => readonly KubernetesObject[];
}

/** Undefined for a mesh without tenancy, and where an older mesh has that name, and the members. */
export function departureOf(
  mesh: KubernetesObject,
  { meshesClaiming, membersOf }: DepartureView,
): Departure | undefined {
  const tenant = claimedTenant(mesh);
  if (tenant === undefined || earlierClaim(mesh, meshesClaiming) !== undefined) return undefined;
  return {
    ...{ tenant, home: mesh.metadata.namespace ?? '', members: membersOf(tenant) },
    ...{ revision: claimedRevision(mesh), bundle: claimedBundle(mesh) },
  };
}

/** To be called before anything of the mesh goes: its members are followed no more. */
export async function beginDeparture(
  { tenant, revision, members }: Departure,
  namespaces: MemberNamespaces,
  signal: AbortSignal,
): Promise<void> {
  for (const member of members) {
    const followed = member.metadata.labels?.['istio.io/rev'];
    const isFollowing = followed !== undefined && (revision === '' || followed === revision);
    if (isFollowing) await namespaces.withdraw(member, tenant, signal);
  }
}

/** To be called when all else of the mesh is gone: members lose the last label, and they and its own namespace the roots. */
export async function endDeparture(
  { home, bundle, members }: Departure,
  namespaces: MemberNamespaces,
  signal: AbortSignal,
): Promise<void> {
  for (const member of members) await namespaces.release(member, bundle, signal);
  if (bundle !== undefined) await namespaces.removeBundle(home, bundle, signal);
}
