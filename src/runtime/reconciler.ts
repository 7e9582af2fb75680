import type { ObjectKey } from '../api/kubernetes-object.ts';
import type { Logger } from '../observability/logger.ts';

/** What one pass may use beside its own collaborators. */
export interface ReconcileContext {
  /** Aborted on shutdown, on lost leadership, and when the pass has taken too long. Give it to everything that waits. */
  readonly signal: AbortSignal;
  /** Names controller and key in every line. */
  readonly log: Logger;
}

/** How a pass that did not throw ended. */
export interface ReconcileResult {
  /** Come back after this long even if nothing changes; absent: only when something changes. */
  readonly requeueAfterMs?: number;
}

/** Comes back after the shortest of these waits; only when something changes when all are undefined. */
export function requeueAfter(...waitsMs: readonly (number | undefined)[]): ReconcileResult {
  const given = waitsMs.filter((wait) => wait !== undefined);
  return given.length === 0 ? {} : { requeueAfterMs: Math.max(0, Math.min(...given)) };
}

/**
 * One level-triggered pass for one key. It may run at any time, any number of times, and never twice at once for
 * one key. What it throws decides when it runs again (`Controller`).
 */
export interface Reconciler {
  reconcile(key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult>;
}
