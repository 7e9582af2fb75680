import type { ResolvedPeerPolicy } from '../api/resolved-security.ts';
import type { ObservedRevisions } from './revisions/plan-revisions.ts';

/** What rendering goes by that is not in the spec. */
export interface ObservedMesh extends ObservedRevisions {
  /** Names of the namespaces that are members of a tenant, in order. */
  readonly members: readonly string[];
  /** Policies of peers in the place of those of the spec, while some of it waits. */
  readonly peers?: readonly ResolvedPeerPolicy[] | undefined;
}

export const nothingObserved: ObservedMesh = { upgrade: undefined, revisions: new Map(), members: [] };
