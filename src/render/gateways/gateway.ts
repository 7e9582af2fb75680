import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import {
  type JsonObject,
  type ResolvedGateway,
  type ResolvedMesh,
  revisionLabel,
} from '../../api/resolved-mesh.ts';
import { renderRoleBinding, renderServiceAccount } from '../access.ts';
import { renderAutoscaler, renderDisruptionBudget } from '../availability.ts';
import { componentLabels, objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { workloadView } from '../workload-view.ts';
import { renderGatewayPod } from './gateway-pod.ts';

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
  const account = serviceAccountName(gateway);
  const { labels, annotations, container, volumes } = renderGatewayPod(mesh, gateway, {
    labels: podLabels(mesh, gateway),
    serviceAccountName: account,
    ports: containerPorts(gateway),
  });
  return {
    ...workloadView(mesh, gateway, {
      // Ports below 1024 without root and without a capability.
      securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] },
    }),
    serviceAccountName: account,
    selector: gateway.selector,
    podLabels: labels,
    podAnnotations: annotations,
    container,
    volumes,
  };
}

/** Service and Deployment carry the selector's labels, too: istiod and people find them by these. */
function gatewayLabels(mesh: ResolvedMesh, gateway: ResolvedGateway): Record<string, string> {
  return { ...gateway.labels, 'istio.io/rev': revisionLabel(mesh.revision), ...gateway.selector };
}

function podLabels(mesh: ResolvedMesh, gateway: ResolvedGateway): Record<string, string> {
  return {
    ...gateway.podLabels,
    ...gatewayLabels(mesh, gateway),
    ...componentLabels(mesh, gateway.name),
    'sidecar.istio.io/inject': 'false',
    'istio.io/dataplane-mode': 'none',
  };
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
  return [...byNumber.values()];
}
