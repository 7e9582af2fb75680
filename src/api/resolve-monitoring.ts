import type { MonitoringSettings } from './spec/monitoring.ts';

/** `spec.telemetry.monitoring` with every default filled in. */
export interface ResolvedMonitoring {
  /** What a Prometheus selects by. */
  readonly labels: Readonly<Record<string, string>>;
  /** A duration as Prometheus writes them; absent: as it is set. */
  readonly interval?: string;
  /** Absent: none. */
  readonly alerts?: ResolvedMonitoringAlerts;
  readonly hasDashboards: boolean;
}

/** From when on somebody is told. */
export interface ResolvedMonitoringAlerts {
  /** Percentage of requests, 0-100. */
  readonly errorPercent: number;
  readonly latencyMs: number;
}

/** The settings with every default filled in; undefined where nothing watches the mesh. */
export function resolveMonitoring(settings: MonitoringSettings | undefined): ResolvedMonitoring | undefined {
  if (settings === undefined || settings.enabled === false) return undefined;
  const {
    labels = {},
    interval,
    alerts: { enabled = true, errorPercent = 5, latencyMs = 1000 } = {},
  } = settings;
  return {
    labels,
    ...(interval === undefined ? {} : { interval }),
    ...(enabled ? { alerts: { errorPercent, latencyMs } } : {}),
    hasDashboards: settings.dashboards?.enabled ?? true,
  };
}
