/** Whom one Sidecar is for: all workloads of a namespace that have none of their own, or one workload. */
export const scopeUnits = ['namespace', 'workload'] as const;

/** For whom Sidecars are suggested. */
export interface SuggestOptions {
  readonly per: (typeof scopeUnits)[number];
  /** Absent: every namespace. */
  readonly namespace?: string | undefined;
}

/** A week: what is called on one of its days alone is in it. */
export const defaultScopeWindow = '168h';
