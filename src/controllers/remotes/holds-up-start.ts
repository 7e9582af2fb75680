import type { ObservedReplica } from './observe-replicas.ts';

/** istiod gives a cluster up after half a minute (Istio PILOT_REMOTE_CLUSTER_TIMEOUT), and should be Ready soon after. */
const patienceMs = 60_000;

/**
 * Whether a cluster is why istiod does not start, by what replicas say of it of which none is Ready. It gives up a
 * cluster that does not answer at all, but waits without end for one that has answered once and then no more (Istio
 * pilot/pkg/serviceregistry/serviceentry/controller.go, HasSynced). Pure.
 */
export function holdsUpStart(replicas: readonly ObservedReplica[], now: Date): boolean {
  return replicas.some(
    ({ syncStatus, startedAt }) =>
      syncStatus === 'timeout' &&
      startedAt !== undefined &&
      now.getTime() - Date.parse(startedAt) > patienceMs,
  );
}
