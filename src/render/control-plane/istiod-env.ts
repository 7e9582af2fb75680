import { gatewayDeployments } from '../../api/gateway-deployments.ts';
import { ztunnelName } from '../../api/node-components.ts';
import { type JsonObject, type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { configClusterOf } from '../../api/resolved-multi-cluster.ts';
import { envField, envResource, envValue, literalEnv, mergeEnv } from '../environment.ts';
import { remoteTokens } from '../multicluster/remote-tokens.ts';

/** The environment of istiod's container: ours, and what the spec sets over it. */
export function istiodEnv(mesh: ResolvedMesh): JsonObject[] {
  const configCluster = configClusterOf(mesh);
  const ours = [
    envValue('REVISION', revisionLabel(mesh.revision)),
    envValue('PILOT_CERT_PROVIDER', 'istiod'),
    envField('POD_NAME', 'metadata.name'),
    envField('POD_NAMESPACE', 'metadata.namespace'),
    envField('SERVICE_ACCOUNT', 'spec.serviceAccountName'),
    envValue('KUBECONFIG', '/var/run/secrets/remote/config'),
    envValue('CA_TRUSTED_NODE_ACCOUNTS', `${mesh.ztunnel.namespace}/${ztunnelName}`),
    envValue('PILOT_TRACE_SAMPLING', String(mesh.pilot.traceSampling)),
    envValue('PILOT_ENABLE_ANALYSIS', 'false'),
    envValue('CLUSTER_ID', configCluster ?? mesh.clusterId),
    envResource('GOMAXPROCS', 'limits.cpu'),
    ...(mesh.platform === undefined ? [] : [envValue('PLATFORM', mesh.platform)]),
    // Proxies and istiod accept several roots at a time: without it no root could ever be replaced.
    envValue('ISTIO_MULTIROOT_MESH', 'true'),
    // istiod leaves MutatingWebhookConfigurations alone: injection is our own webhook's.
    envValue('INJECTION_WEBHOOK_CONFIG_NAME', ''),
    // An API server that asks for validation would have to reach another cluster.
    ...(configCluster === undefined ? [] : [envValue('VALIDATION_WEBHOOK_CONFIG_NAME', '')]),
    // Deployments for Gateways of the Gateway API need rights in every namespace: they are for who asks for them.
    envValue(gatewayDeployments, 'false'),
    ...(mesh.injection.trustBundleName === ''
      ? []
      : [envValue('PILOT_CA_CERT_CONFIGMAP', mesh.injection.trustBundleName)]),
    // The class `istio` of Gateways is the cluster's, and no tenant's.
    ...(mesh.tenancy === undefined
      ? []
      : [envValue('PILOT_ENABLE_GATEWAY_API_GATEWAYCLASS_CONTROLLER', 'false')]),
    // Neither an authority nor the controller that brings its roots to all namespaces.
    ...(mesh.authority.external === undefined ? [] : [envValue('ENABLE_CA_SERVER', 'false')]),
    ...remoteTokens(mesh).env,
  ];
  return mergeEnv([...ours, ...complianceEnv(mesh)], mesh.pilot.env);
}

/** Go itself refuses what FIPS 140-3 does not allow; validation keeps that policy from minors that do not know it. */
function complianceEnv({ pilot }: ResolvedMesh): JsonObject[] {
  const isAsked = literalEnv(pilot.env, 'COMPLIANCE_POLICY') === 'fips-140-3';
  return isAsked ? [envValue('GODEBUG', 'fips140=only')] : [];
}
