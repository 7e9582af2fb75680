import { goDurationMs } from '../../base/duration.ts';
import type { Problem } from '../problem.ts';

const leastWindowMs = 10_000;

/** What is wrong with how far back a Prometheus is asked. */
export function checkPrometheusWindow(path: string, window: string | undefined): Problem[] {
  return (goDurationMs(window) ?? leastWindowMs) < leastWindowMs
    ? [{ path, message: 'must be at least 10s: Prometheus needs two scrapes in it to tell a rate' }]
    : [];
}
