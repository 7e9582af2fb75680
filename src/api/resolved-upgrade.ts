import type { LabelSelector } from './resolved-injection.ts';
import type { ResolvedPrometheus } from './resolved-prometheus.ts';

/** Namespaces that change to another version together. */
export interface ResolvedUpgradeWave {
  readonly namespaceSelector: LabelSelector;
  readonly soakMs: number;
}

/** What counts as too many failed requests, and who knows. */
export interface ResolvedErrorRate extends ResolvedPrometheus {
  /** The part of all requests that may fail, from 0 to 1. */
  readonly limit: number;
}

/** `spec.upgrade` with every default filled in. */
export interface ResolvedUpgrade {
  readonly strategy: 'InPlace' | 'RevisionBased';
  /** Whether workloads are restarted for it. */
  readonly restarts: boolean;
  /** The last one selects every namespace that no other does. */
  readonly waves: readonly ResolvedUpgradeWave[];
  readonly waveTimeoutMs: number;
  readonly errorRate?: ResolvedErrorRate;
  readonly onFailure: 'Rollback' | 'Pause';
  readonly graceMs: number;
}

/** Where tags of a revision count: nowhere else than in `only`, where that is given, and never in `except`. */
export interface ResolvedTagScope {
  readonly only?: readonly string[];
  readonly except: readonly string[];
}

/** Whether tags count in a namespace; those of a mesh without a scope count everywhere. */
export function tagsCountIn(scope: ResolvedTagScope | undefined, namespace: string): boolean {
  if (scope === undefined) return true;
  return !scope.except.includes(namespace) && (scope.only?.includes(namespace) ?? true);
}
