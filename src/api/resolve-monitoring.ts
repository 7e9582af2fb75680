import type { MonitoringSettings } from './spec/monitoring.ts';

/** `spec.telemetry.monitoring` with every default filled in. */
export interface ResolvedMonitoring {
  /** What a Prometheus selects by. */
  readonly labels: Readonly<Record<string, string>>;
  /** A duration as Prometheus writes them; absent: as it is set. */
  readonly interval?: string;
}

/** The settings with every default filled in; undefined where nothing watches the mesh. */
export function resolveMonitoring(settings: MonitoringSettings | undefined): ResolvedMonitoring | undefined {
  if (settings === undefined || settings.enabled === false) return undefined;
  const { labels = {}, interval } = settings;
  return { labels, ...(interval === undefined ? {} : { interval }) };
}
