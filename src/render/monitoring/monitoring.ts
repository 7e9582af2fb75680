import type { KubernetesObject, ObjectMeta } from '../../api/kubernetes-object.ts';
import type { ResolvedMonitoring, ResolvedMonitoringAlerts } from '../../api/resolve-monitoring.ts';
import { type JsonObject, type ResolvedMesh, revisionSuffix } from '../../api/resolved-mesh.ts';
import { stableJson } from '../../base/stable-json.ts';
import { injectorComponent } from '../injector/injector.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { meshDashboards } from './dashboards/dashboards.ts';
import { gatewayLabel } from './mesh-series.ts';
import { ruleGroups } from './rule-groups.ts';
import { jobOf, monitorName, revisionPattern, type WatchedPart, watchedParts } from './watched-parts.ts';

/** What has a Prometheus Operator and Grafana watch the mesh; nothing where the spec does not ask for it. */
export function renderMonitoring(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const { monitoring } = mesh;
  if (monitoring === undefined) return [];
  return [
    ...watchedParts(mesh).map((part) => renderMonitor(part, mesh, context, monitoring)),
    ...(monitoring.alerts === undefined ? [] : [renderRules(mesh, context, monitoring.alerts)]),
    ...(monitoring.hasDashboards ? renderDashboards(mesh, context) : []),
  ];
}

function renderRules(
  mesh: ResolvedMesh,
  context: RenderContext,
  alerts: ResolvedMonitoringAlerts,
): KubernetesObject {
  return renderObject('monitoring/30-prometheus-rule', {
    metadata: selectedMetadata(mesh, context, `mesh-alerts${revisionSuffix(mesh.revision)}`),
    groups: ruleGroups(mesh, alerts),
  });
}

/** By this label the sidecar of Grafana's chart finds them. */
const dashboardLabels = { grafana_dashboard: '1' };

function renderDashboards(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  return meshDashboards(mesh).map(({ name, file, json }) =>
    renderObject('monitoring/40-dashboard', {
      metadata: monitoringMetadata(mesh, context, name, dashboardLabels),
      data: { [file]: stableJson(json) },
    }),
  );
}

/** Of what a Prometheus selects by the labels that the spec says. */
function selectedMetadata(mesh: ResolvedMesh, context: RenderContext, name: string): ObjectMeta {
  return monitoringMetadata(mesh, context, name, mesh.monitoring?.labels);
}

function monitoringMetadata(
  mesh: ResolvedMesh,
  context: RenderContext,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): ObjectMeta {
  const { namespace } = mesh;
  return objectMetadata(mesh, context, { name, namespace, component: 'monitoring', labels });
}

/** Where Services are found: label `app`, and the container port of their pods that has metrics. */
const services = {
  istiod: { app: 'istiod', port: 'http-monitoring' },
  injector: { app: injectorComponent, port: 'http-metrics' },
} as const;

function renderMonitor(
  part: WatchedPart,
  mesh: ResolvedMesh,
  context: RenderContext,
  { interval }: ResolvedMonitoring,
): KubernetesObject {
  const metadata = selectedMetadata(mesh, context, monitorName(mesh, part));
  if (part === 'proxies') {
    return renderObject('monitoring/20-pod-monitor', {
      ...{ metadata, interval },
      relabelings: [ofMesh(mesh, 'pod_annotation'), atAgent(mesh), nameOfGateway],
    });
  }
  const { app, port } = services[part];
  return renderObject('monitoring/10-service-monitor', {
    ...{ metadata, interval, port, selector: { app } },
    relabelings: [ofMesh(mesh, 'service_label'), { targetLabel: 'job', replacement: jobOf(mesh, part) }],
  });
}

/** Leaves out what belongs to other meshes: no selector of labels knows which revisions there will be. */
function ofMesh(mesh: ResolvedMesh, place: 'pod_annotation' | 'service_label'): JsonObject {
  return {
    action: 'keep',
    sourceLabels: [`__meta_kubernetes_${place}_istio_io_rev`],
    regex: revisionPattern(mesh),
  };
}

/** The port with a name is Envoy's own; the agent has the same, its own figures, and those of the application. */
function atAgent({ injection }: ResolvedMesh): JsonObject {
  return {
    sourceLabels: ['__address__'],
    regex: '(.+):\\d+',
    replacement: `$1:${injection.statusPort}`,
    targetLabel: '__address__',
  };
}

/** Sidecars have the label by which others know that they take mTLS; gateways, of whatever making, have not. */
const nameOfGateway: JsonObject = {
  sourceLabels: [
    '__meta_kubernetes_pod_labelpresent_security_istio_io_tlsMode',
    '__meta_kubernetes_namespace',
    '__meta_kubernetes_pod_label_service_istio_io_canonical_name',
  ],
  regex: ';(.+);(.+)',
  replacement: '$1/$2',
  targetLabel: gatewayLabel,
};
