import { dump } from 'js-yaml';
import gatewayTemplates from '../../../generated/gateway-templates.json' with { type: 'json' };
import { gatewayDeployments } from '../../api/gateway-deployments.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import {
  type JsonObject,
  type ResolvedMesh,
  revisionLabel,
  revisionSuffix,
} from '../../api/resolved-mesh.ts';
import { renderRoleBinding } from '../access.ts';
import { literalEnv } from '../environment.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { istiodEnv } from './istiod-env.ts';
import { clusterScopedName, istiodName } from './names.ts';

/** istiod takes less than this for nothing at all (Istio `manifests/charts/istio-control/istio-discovery/values.yaml`). */
const waypointResources = {
  requests: { cpu: '100m', memory: '128Mi' },
  limits: { cpu: '2', memory: '1Gi' },
};

const gatewayRole = 'istiod-gateway-controller';

/** True when the environment of istiod turns it on. */
export function deploysGateways(mesh: ResolvedMesh): boolean {
  return literalEnv(istiodEnv(mesh), gatewayDeployments) === 'true';
}

/**
 * What istiod needs to deploy Gateways of the Gateway API: the right to make Deployments and Services where they are, and
 * the templates of its own minor. It looks for those once, when it starts, in the ConfigMap that its own sidecar injector
 * would have its templates in; of the latter there are none here, and no webhook asks it.
 */
export function renderGatewayController(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const component = 'istiod';
  const roleName = clusterScopedName(mesh, gatewayRole);
  const subject = { name: istiodName(mesh), namespace: mesh.namespace };
  return [
    renderObject('control-plane/13-gateway-cluster-role', {
      metadata: objectMetadata(mesh, context, { name: roleName, component }),
    }),
    mesh.tenancy === undefined
      ? renderRoleBinding(mesh, context, { roleKind: 'ClusterRole', roleName, subject, component })
      : renderGatewayControllerBinding(mesh, context, mesh.namespace),
    renderObject('control-plane/21-gateway-templates', {
      metadata: objectMetadata(mesh, context, {
        name: `istio-sidecar-injector${revisionSuffix(mesh.revision)}`,
        namespace: mesh.namespace,
        component,
        labels: { 'istio.io/rev': revisionLabel(mesh.revision) },
      }),
      config: dump({ policy: 'disabled', defaultTemplates: [], templates: templatesOf(mesh) }),
      values: JSON.stringify(templateValues(mesh)),
    }),
  ];
}

/** Lets istiod of a tenant deploy gateways in one namespace. */
export function renderGatewayControllerBinding(
  mesh: ResolvedMesh,
  context: RenderContext,
  within: string,
): KubernetesObject {
  return renderRoleBinding(mesh, context, {
    ...{
      roleKind: 'ClusterRole',
      roleName: clusterScopedName(mesh, gatewayRole),
      component: 'istiod',
      within,
    },
    subject: { name: istiodName(mesh), namespace: mesh.namespace },
  });
}

/** Waypoints are there in ambient meshes alone. */
function templatesOf({ version, pilot }: ResolvedMesh): Readonly<Record<string, string>> {
  const byMinor: Readonly<Record<string, Readonly<Record<string, string>>>> = gatewayTemplates;
  const { waypoint = '', ...gateways } = byMinor[version.minor] ?? {};
  return literalEnv(pilot.env, 'PILOT_ENABLE_AMBIENT') === 'true' ? { ...gateways, waypoint } : gateways;
}

/** All that the templates ask for, under the names of Istio's charts; a parent that is missing would be an error. */
function templateValues(mesh: ResolvedMesh): JsonObject {
  const { injection, proxy } = mesh;
  return {
    revision: mesh.revision,
    global: {
      ...{ hub: mesh.hub, tag: mesh.tag, variant: injection.variant, platform: mesh.platform ?? '' },
      istioNamespace: mesh.namespace,
      ...(injection.imagePullPolicy === undefined ? {} : { imagePullPolicy: injection.imagePullPolicy }),
      imagePullSecrets: [...mesh.imagePullSecrets],
      ...{ caAddress: injection.caAddress, caName: injection.caName },
      ...{ pilotCertProvider: injection.pilotCertProvider, trustBundleName: injection.trustBundleName },
      ...{ meshID: mesh.meshId, network: mesh.network, multiCluster: { clusterName: mesh.clusterId } },
      ...{ logAsJson: mesh.pilot.logAsJson, logging: { level: mesh.pilot.logLevel } },
      ...{ sds: { token: { aud: injection.tokenAudience } }, sts: { servicePort: injection.stsPort } },
      proxy: {
        ...{ image: injection.image, clusterDomain: proxy.clusterDomain, resources: injection.resources },
        ...{ logLevel: proxy.logLevel, componentLogLevel: proxy.componentLogLevel },
        ...(injection.lifecycle === undefined ? {} : { lifecycle: injection.lifecycle }),
        outlierLogPath: injection.outlierLogPath,
      },
      waypoint: { resources: waypointResources },
    },
    pilot: { env: injection.clusterTrustBundle ? { ENABLE_CLUSTER_TRUST_BUNDLE_API: true } : {} },
    gateways:
      injection.gatewaySecurityContext === undefined
        ? {}
        : { securityContext: injection.gatewaySecurityContext },
  };
}
