import type { ResolvedPeerPolicy } from '../api/resolved-security.ts';
import type { ObservedRevisions } from './revisions/plan-revisions.ts';

/** What rendering goes by that is not in the spec. */
export interface ObservedMesh extends ObservedRevisions {
  /** Names of the namespaces that are members of a tenant, in order. */
  readonly members: readonly string[];
  /** Policies of peers in the place of those of the spec, while some of it waits. */
  readonly peers?: readonly ResolvedPeerPolicy[] | undefined;
  /** Where the cluster that has the istiod says that it is; counts where the spec has no address. */
  readonly primaryAddresses?: readonly string[] | undefined;
}

export const nothingObserved: ObservedMesh = { upgrade: undefined, revisions: new Map(), members: [] };
