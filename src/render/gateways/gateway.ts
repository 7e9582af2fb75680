import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import {
  type JsonObject,
  type ResolvedGateway,
  type ResolvedMesh,
  revisionLabel,
} from '../../api/resolved-mesh.ts';
import { stableHash } from '../../base/stable-json.ts';
import { renderRoleBinding, renderServiceAccount } from '../access.ts';
import { renderAutoscaler, renderDisruptionBudget } from '../availability.ts';
import { componentLabels, objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { workloadView } from '../workload-view.ts';
import { gatewayEnv, gatewayNetwork, startupSettings } from './proxy-env.ts';

/** Annotation of a gateway's pods: the hash of what a proxy reads only when it starts. */
export const startupSettingsAnnotation = 'meshoperator.dev/startup-settings';

/** Where Prometheus finds the metrics of Envoy alone. */
const envoyMetricsPort: JsonObject = { name: 'http-envoy-prom', containerPort: 15090, protocol: 'TCP' };

/**
 * Every object of one gateway. Its pods are complete: they need no injector and are never injected.
 */
export function renderGateway(
  mesh: ResolvedMesh,
  context: RenderContext,
  gateway: ResolvedGateway,
): KubernetesObject[] {
  const { name, namespace, selector } = gateway;
  const metadata = { name, namespace, component: name, labels: gatewayLabels(mesh, gateway) };
  const account = { ...metadata, name: serviceAccountName(gateway) };
  const role = { ...metadata, name: `${name}-sds` };
  return [
    renderServiceAccount(mesh, context, account),
    renderObject('gateway/10-role', { metadata: objectMetadata(mesh, context, role) }),
    renderRoleBinding(mesh, context, {
      roleKind: 'Role',
      roleName: role.name,
      subject: { name: account.name, namespace },
      component: name,
      labels: metadata.labels,
    }),
    renderObject('gateway/20-service', {
      metadata: objectMetadata(mesh, context, { ...metadata, annotations: gateway.serviceAnnotations }),
      spec: serviceSpec(gateway),
    }),
    renderObject('gateway/30-deployment', {
      metadata: objectMetadata(mesh, context, metadata),
      ...deploymentView(mesh, gateway),
    }),
    ...renderAutoscaler(mesh, context, { ...metadata, workload: gateway }),
    ...renderDisruptionBudget(mesh, context, { ...metadata, workload: gateway, selector }),
  ];
}

/** As IstioOperator names it: the name is in the gateway's SPIFFE identity, which policies refer to. */
function serviceAccountName(gateway: ResolvedGateway): string {
  return `${gateway.name}-service-account`;
}

function deploymentView(mesh: ResolvedMesh, gateway: ResolvedGateway) {
  const ports = containerPorts(gateway);
  return {
    ...workloadView(mesh, gateway, {
      // Ports below 1024 without root and without a capability.
      securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] },
    }),
    serviceAccountName: serviceAccountName(gateway),
    selector: gateway.selector,
    podLabels: podLabels(mesh, gateway),
    podAnnotations: {
      'prometheus.io/port': '15020',
      'prometheus.io/scrape': 'true',
      'prometheus.io/path': '/stats/prometheus',
      ...gateway.podAnnotations,
      [startupSettingsAnnotation]: stableHash(startupSettings(mesh)),
    },
    image: gateway.image,
    args: proxyArgs(mesh),
    env: gatewayEnv(mesh, gateway, ports),
    ports,
    readiness: mesh.proxy.readiness,
  };
}

/** Service and Deployment carry the selector's labels, too: istiod and people find them by these. */
function gatewayLabels(mesh: ResolvedMesh, gateway: ResolvedGateway): Record<string, string> {
  return { ...gateway.labels, 'istio.io/rev': revisionLabel(mesh.revision), ...gateway.selector };
}

function podLabels(mesh: ResolvedMesh, gateway: ResolvedGateway): Record<string, string> {
  const network = gatewayNetwork(mesh, gateway);
  return {
    'service.istio.io/canonical-name': gateway.name,
    'service.istio.io/canonical-revision': 'latest',
    ...(network === '' ? {} : { 'topology.istio.io/network': network }),
    ...gateway.podLabels,
    ...gatewayLabels(mesh, gateway),
    ...componentLabels(mesh, gateway.name),
    'sidecar.istio.io/inject': 'false',
    'istio.io/dataplane-mode': 'none',
  };
}

function proxyArgs(mesh: ResolvedMesh): string[] {
  return [
    'proxy',
    'router',
    '--domain',
    `$(POD_NAMESPACE).svc.${mesh.proxy.clusterDomain}`,
    `--proxyLogLevel=${mesh.proxy.logLevel}`,
    `--proxyComponentLogLevel=${mesh.proxy.componentLogLevel}`,
    `--log_output_level=${mesh.pilot.logLevel}`,
    ...(mesh.pilot.logAsJson ? ['--log_as_json'] : []),
  ];
}

function serviceSpec(gateway: ResolvedGateway): JsonObject {
  return {
    ...gateway.service.spec,
    type: gateway.service.type,
    selector: { ...gateway.selector },
    ports: gateway.service.ports.map((port) => ({ ...port })),
  };
}

/**
 * The ports that the Service sends traffic to, each once. Those it names by text are not declared: their
 * number is the proxy's business.
 */
function containerPorts(gateway: ResolvedGateway): JsonObject[] {
  const byNumber = new Map<string, JsonObject>();
  for (const { targetPort, protocol } of gateway.service.ports) {
    if (typeof targetPort !== 'number') continue;
    byNumber.set(`${targetPort}/${protocol}`, { containerPort: targetPort, protocol });
  }
  byNumber.set('15090/TCP', envoyMetricsPort);
  return [...byNumber.values()];
}
