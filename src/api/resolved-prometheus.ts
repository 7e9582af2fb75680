import { goDurationMs } from '../base/duration.ts';

/** A Prometheus that a decision asks, and how far back. */
export interface ResolvedPrometheus {
  /** Address of its HTTP API, without a slash at its end. */
  readonly prometheus: string;
  readonly windowMs: number;
}

export function resolvePrometheus(
  { prometheus, window }: { readonly prometheus: string; readonly window?: string | undefined },
  defaultWindowMs: number,
): ResolvedPrometheus {
  return {
    prometheus: prometheus.replace(/\/$/, ''),
    windowMs: goDurationMs(window) ?? defaultWindowMs,
  };
}
