import type { ObservedRevisions } from './revisions/plan-revisions.ts';

/** What rendering goes by that is not in the spec. */
export interface ObservedMesh extends ObservedRevisions {
  /** Names of the namespaces that are members of a tenant, in order. */
  readonly members: readonly string[];
}

export const nothingObserved: ObservedMesh = { upgrade: undefined, revisions: new Map(), members: [] };
