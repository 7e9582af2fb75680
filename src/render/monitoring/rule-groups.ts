import type { ResolvedMonitoringAlerts } from '../../api/resolve-monitoring.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { type AlertRule, alertRules } from './alert-rules.ts';
import { MeshSeries } from './mesh-series.ts';
import { type RecordingRule, recordingRules } from './recording-rules.ts';
import { watchedParts } from './watched-parts.ts';

/** A group of rules as Prometheus reads them. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly (RecordingRule | AlertRule)[];
}

/** All rules of a mesh: what is recorded, then what alerts by it. */
export function ruleGroups(mesh: ResolvedMesh, alerts: ResolvedMonitoringAlerts): readonly RuleGroup[] {
  const series = new MeshSeries(mesh);
  const groups = alertRules({ mesh, series, alerts, parts: watchedParts(mesh) });
  return [
    { name: 'mesh-golden-signals', rules: recordingRules(series) },
    ...Object.entries(groups).map(([name, rules]) => ({ name: `mesh-${name}`, rules })),
  ];
}
