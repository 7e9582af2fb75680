import type { ResolvedMonitoringAlerts } from '../../api/resolve-monitoring.ts';
import type { JsonObject, ResolvedMesh } from '../../api/resolved-mesh.ts';
import { goDurationMs } from '../../base/duration.ts';
import { isRecord } from '../../base/stable-json.ts';
import { gatewayLabel, type MeshSeries } from './mesh-series.ts';
import { recordedNames, recordedTurnedAway } from './recording-rules.ts';
import { growth, hasGrown } from './signals.ts';
import type { WatchedPart } from './watched-parts.ts';

/** A rule of a group of Prometheus that alerts somebody. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it must hold. */
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: {
    readonly summary: string;
    /** What it means for the mesh. */
    readonly description: string;
    /** What to do. */
    readonly runbook: string;
  };
}

/** An alert, and the part of the mesh that tells of it. */
interface Row {
  readonly alert: string;
  readonly part: WatchedPart;
  readonly severity: 'warning' | 'critical';
  readonly patience: string;
  readonly expr: string;
  readonly summary: string;
  readonly description: string;
  readonly runbook: string;
}

/** What alerts are made of. */
export interface AlertInput {
  readonly mesh: ResolvedMesh;
  readonly series: MeshSeries;
  readonly alerts: ResolvedMonitoringAlerts;
  readonly parts: readonly WatchedPart[];
}

/** Groups of alerts by name: of traffic, certificates and the control plane, as far as the mesh has the parts that tell. */
export function alertRules(input: AlertInput): Readonly<Record<string, readonly AlertRule[]>> {
  const rulesOf = (rows: readonly Row[]) =>
    rows.filter(({ part }) => input.parts.includes(part)).map((row) => ruleOf(row, input.series));
  return {
    traffic: rulesOf(trafficRows(input)),
    certificates: rulesOf(certificateRows(input)),
    'control-plane': rulesOf(controlPlaneRows(input)),
  };
}

function ruleOf(row: Row, { labels }: MeshSeries): AlertRule {
  const { alert, severity, patience, expr, summary, description, runbook } = row;
  return {
    ...{ alert, expr, for: patience },
    labels: { ...labels, severity },
    annotations: { summary, description, runbook },
  };
}

/** Fewer requests in a second say nothing of a workload. */
const leastRate = 0.1;

function trafficRows({ series, alerts: { errorPercent, latencyMs } }: AlertInput): Row[] {
  const workload = '{{ $labels.destination_workload_namespace }}/{{ $labels.destination_workload }}';
  const gateway = `{{ $labels.${gatewayLabel} }}`;
  const levels = [
    { level: 'workload', name: 'MeshWorkload', who: `Workload ${workload}` },
    { level: 'gateway', name: 'MeshGateway', who: `Gateway ${gateway}` },
  ] as const;
  const ofLevels = levels.flatMap(({ level, name, who }): Row[] => {
    const { requests, failures, slowest } = recordedNames(level);
    const isUsed = `${series.own(requests)} > ${leastRate}`;
    return [
      {
        ...{ alert: `${name}Errors`, part: 'proxies', patience: '10m' },
        severity: level === 'gateway' ? 'critical' : 'warning',
        expr: `${series.own(failures)} > ${errorPercent / 100} and ${isUsed}`,
        summary: `${who} fails {{ $value | humanizePercentage }} of its requests`,
        description: `More than ${errorPercent} % have ended with a 5xx status, or a gRPC status that means a fault of the server, for ten minutes.`,
        runbook:
          'Dashboard Workloads shows since when, and by which status. Response flags of the access log tell the workload (none) from the network (UF, UH, NR, URX). What was rolled out last?',
      },
      {
        ...{ alert: `${name}Slow`, part: 'proxies', severity: 'warning', patience: '10m' },
        expr: `${series.own(slowest)} > ${latencyMs} and ${isUsed}`,
        summary: `${who} takes {{ $value | humanize }} ms for the slowest hundredth of its requests`,
        description: `It has been more than ${latencyMs} ms for ten minutes.`,
        runbook:
          'Dashboard Workloads shows whether load has grown as well, and whether what it calls is slow itself. Where its processors are busy, give it more replicas.',
      },
    ];
  });
  return [
    ...ofLevels,
    {
      ...{ alert: 'MeshRequestsTurnedAway', part: 'proxies', severity: 'warning', patience: '10m' },
      expr: `${series.own(recordedTurnedAway)} > 0.01`,
      summary:
        'Limits turn away {{ $value | humanizePercentage }} of the requests to {{ $labels.destination_service_namespace }}/{{ $labels.destination_service_name }}',
      description:
        'Proxies refuse what would exceed the connection pool of a DestinationRule, a rate limit, or the memory of a proxy.',
      runbook:
        'Give the service more replicas, or raise connectionPool in its DestinationRule when it can take more.',
    },
  ];
}

const day = 86_400;

function certificateRows({ mesh, series }: AlertInput): Row[] {
  const left = (name: string) => `min(${series.metric(name, 'istiod')}) - time()`;
  const places = [
    { certificate: 'root', figure: 'citadel_server_root_cert_expiry_timestamp' },
    { certificate: 'intermediate', figure: 'citadel_server_cert_chain_expiry_timestamp' },
  ] as const;
  const ofAuthority = places.flatMap(({ certificate, figure }): Row[] => {
    const name = `Mesh${certificate === 'root' ? 'Root' : 'Intermediate'}Ends`;
    const { soon, verySoon } = endsOf(mesh, certificate);
    const common = {
      part: 'istiod',
      summary: `The ${certificate} certificate that istiod signs with ends in {{ $value | humanizeDuration }}`,
      runbook:
        'Run mesh-operator ca status: it says which rotation is due, and what holds it. Where another authority signs, renew the certificate there.',
    } as const;
    return [
      {
        ...{ ...common, alert: `${name}Soon`, severity: 'warning', patience: '15m' },
        expr: `${left(figure)} < ${soon}`,
        description: 'Its successor is overdue.',
      },
      {
        ...{ ...common, alert: `${name}VerySoon`, severity: 'critical', patience: '1m' },
        expr: `${left(figure)} < ${verySoon}`,
        description: 'When it has ended, workloads no longer reach each other.',
      },
    ];
  });
  const expiring = `${series.metric('istio_agent_cert_expiry_seconds', 'proxies')} < ${Math.round(leafSeconds(mesh) / 8)}`;
  return [
    ...ofAuthority,
    {
      ...{ alert: 'MeshWorkloadCertificatesEndSoon', part: 'proxies', severity: 'critical', patience: '5m' },
      expr: `count by (workload_namespace) (${ofNamespace(expiring)})`,
      summary:
        'The certificates of {{ $value }} proxies in namespace {{ $labels.workload_namespace }} end soon',
      description:
        'A proxy renews its certificate when half of its lifetime is left, and these have not for long. When it has ended, nobody accepts their calls.',
      runbook:
        'Dashboard Certificates names the pods. The log of their istio-proxy says why istiod refuses, or is not reached; alerts MeshCertificatesRefused and MeshProxiesWithoutIstiod tell which.',
    },
    {
      ...{ alert: 'MeshCertificatesRefused', part: 'istiod', severity: 'warning', patience: '15m' },
      expr: `${growth(
        [
          'citadel_server_authentication_failure_count',
          'citadel_server_csr_parsing_err_count',
          'citadel_server_csr_sign_err_count',
        ].map((name) => series.metric(name, 'istiod')),
        '5m',
      )} > 0`,
      summary: 'istiod refuses to sign {{ $value | humanize }} certificates in a second',
      description: 'Proxies that ask for it keep the certificate that they have, until it ends.',
      runbook:
        'The log of istiod says whom it does not believe, or why it cannot sign. Tokens must be of audience istio-ca and of this cluster; an intermediate that has ended signs nothing.',
    },
  ];
}

/** Seconds that are left of a certificate when somebody must look: well after its rotation was due. */
function endsOf(
  { authority }: ResolvedMesh,
  certificate: 'root' | 'intermediate',
): { readonly soon: number; readonly verySoon: number } {
  if (!authority.enabled) return { soon: 30 * day, verySoon: 7 * day };
  const { lifetimeMs, threshold } = authority[certificate];
  const leftWhenDue = (lifetimeMs / 1000) * threshold;
  return {
    soon: Math.round(Math.min(30 * day, leftWhenDue / 2)),
    verySoon: Math.round(Math.min(7 * day, leftWhenDue / 4)),
  };
}

/** How long certificates of proxies last: SECRET_TTL of the agent, whose default is a day (istio.io, "pilot-agent"). */
function leafSeconds({ meshConfig: { defaultConfig } }: ResolvedMesh): number {
  const metadata = isRecord(defaultConfig) ? (defaultConfig.proxyMetadata as JsonObject | undefined) : {};
  const ttl = metadata?.SECRET_TTL;
  return (goDurationMs(typeof ttl === 'string' ? ttl : undefined) ?? day * 1000) / 1000;
}

/** Label namespace of alerts is that of the mesh. */
function ofNamespace(expr: string): string {
  return `label_replace(${expr}, "workload_namespace", "$1", "namespace", "(.+)")`;
}

function controlPlaneRows({ series }: AlertInput): Row[] {
  const istiod = (name: string, ...further: string[]) => series.metric(name, 'istiod', ...further);
  return [
    {
      ...{ alert: 'MeshIstiodDown', part: 'istiod', severity: 'critical', patience: '5m' },
      expr: `(sum(${istiod('up')}) or vector(0)) == 0`,
      summary: 'No istiod answers',
      description:
        'Proxies keep what they have been told, but learn of no change, new ones do not start, and certificates are not renewed.',
      runbook:
        'Look at the pods of Deployment istiod in the namespace of the mesh, and at condition ControlPlaneReady of the MeshOperator. If they run, Prometheus does not reach port 15014.',
    },
    {
      ...{ alert: 'MeshPushErrors', part: 'istiod', severity: 'warning', patience: '10m' },
      expr: `${growth(
        [
          istiod('pilot_total_xds_internal_errors'),
          istiod('pilot_xds_pushes', 'type=~".+_(builderr|senderr)"'),
          istiod('pilot_xds_write_timeout'),
        ],
        '5m',
      )} > 0`,
      summary: 'istiod cannot tell proxies of {{ $value | humanize }} changes in a second',
      description: 'Some proxies work with an older configuration.',
      runbook: 'The log of istiod names the proxies, and what it cannot build or send.',
    },
    {
      ...{ alert: 'MeshConfigRejected', part: 'istiod', severity: 'warning', patience: '5m' },
      expr: `sum by (type) (${hasGrown(istiod('pilot_total_xds_rejects'), '10m')}) > 0`,
      summary: 'Proxies reject what istiod tells them of {{ $labels.type }}',
      description: 'They keep their older configuration, so the newest change is not in effect.',
      runbook:
        'istioctl proxy-status names proxies that are STALE or in ERROR; the log of istiod has the reason, which is most often an EnvoyFilter.',
    },
    {
      ...{ alert: 'MeshPushSlow', part: 'istiod', severity: 'warning', patience: '10m' },
      expr: `histogram_quantile(0.99, sum by (le) (rate(${istiod('pilot_proxy_convergence_time_bucket')}[5m]))) > 10`,
      summary: 'A change takes {{ $value | humanize }} s to reach all proxies',
      description: 'Until then proxies send requests to where nobody is any more.',
      runbook:
        'Dashboard Control plane shows whether istiod is short of processors, or pushes more than before. Give it more replicas, or tell proxies of less by Sidecar resources or discoverySelectors.',
    },
    {
      ...{ alert: 'MeshSyncErrors', part: 'istiod', severity: 'warning', patience: '15m' },
      expr: `sum by (cluster) (rate(${istiod('controller_sync_errors_total')}[5m])) > 0`,
      summary: 'istiod cannot watch cluster {{ $labels.cluster }}',
      description: 'It does not learn of changes there, and proxies work with what was before.',
      runbook:
        'The log of istiod says whether it may not read a kind, or does not reach the API server. Condition ControlPlaneReady of the MeshOperator says whether its role is as it should be.',
    },
    {
      ...{ alert: 'MeshRemoteClusterUnsynced', part: 'istiod', severity: 'warning', patience: '15m' },
      expr: `max by (cluster) (${istiod('istiod_remote_cluster_sync_status', 'status=~"syncing|timeout"')}) == 1`,
      summary: 'istiod does not know what is in cluster {{ $labels.cluster }}',
      description: 'Endpoints of that cluster are missing everywhere.',
      runbook: 'Try the kubeconfig of its remote secret: the token may have ended, or the address changed.',
    },
    {
      ...{ alert: 'MeshInjectorDown', part: 'injector', severity: 'critical', patience: '5m' },
      expr: `(sum(${series.metric('up', 'injector')}) or vector(0)) == 0`,
      summary: 'No sidecar injector answers',
      description:
        'Pods that should have a sidecar do not start, or with failure policy Ignore start without one.',
      runbook:
        'Look at the pods of Deployment sidecar-injector, and at condition InjectorReady of the MeshOperator. If they run, Prometheus does not reach port 8080.',
    },
    {
      ...{ alert: 'MeshInjectorErrors', part: 'injector', severity: 'warning', patience: '10m' },
      expr: `sum by (reason) (rate(${series.metric('mesh_operator_injection_failures_total', 'injector')}[5m])) > 0`,
      summary: 'The sidecar injector fails or refuses pods: {{ $labels.reason }}',
      description: 'These pods do not start.',
      runbook:
        'Events of their ReplicaSets have the answer, the log of the injector has the pods. Most often an annotation or a template asks for the impossible; mesh-operator inject tries it offline.',
    },
    {
      ...{ alert: 'MeshProxiesWithoutIstiod', part: 'proxies', severity: 'warning', patience: '15m' },
      expr: `count by (workload_namespace) (${ofNamespace(`rate(${series.metric('istio_agent_istiod_connection_failures', 'proxies')}[5m]) > 0`)})`,
      summary:
        '{{ $value }} proxies in namespace {{ $labels.workload_namespace }} do not get a connection to istiod',
      description: 'They keep what they have been told, until their certificates end.',
      runbook:
        'Is istiod up, and does a NetworkPolicy let them reach port 15012? The log of istio-proxy says what it meets, such as a certificate that it does not trust.',
    },
    {
      ...{ alert: 'MeshProxiesNotWatched', part: 'proxies', severity: 'warning', patience: '15m' },
      expr: `1 - avg(${series.metric('up', 'proxies')}) > 0.1`,
      summary: 'Prometheus does not reach {{ $value | humanizePercentage }} of the proxies',
      description: 'Nothing is known of their traffic and certificates, and no alert tells of it.',
      runbook:
        'Targets of Prometheus say why. With spec.networkPolicy its namespace must be one of monitoring.namespaces.',
    },
  ];
}
