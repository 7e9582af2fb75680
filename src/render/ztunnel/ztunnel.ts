import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { ztunnelName } from '../../api/node-components.ts';
import type { JsonObject, ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { ResolvedZtunnel } from '../../api/resolved-ztunnel.ts';
import { isAtLeast } from '../../api/versions.ts';
import { isRecord } from '../../base/stable-json.ts';
import { renderRoleBinding, renderServiceAccount } from '../access.ts';
import { containerView } from '../container-view.ts';
import { envField, envResource, envValue, mergeEnv } from '../environment.ts';
import { hostPath } from '../host-path.ts';
import { componentLabels, objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderResourceQuota } from '../resource-quota.ts';
import { renderObject } from '../template-engine.ts';
import { podView } from '../workload-view.ts';

/** The proxy that the ambient pods of each node share. Its objects are of no revision by name: there is one in a cluster. */
export function renderZtunnel(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const { ztunnel } = mesh;
  const metadata = {
    name: ztunnelName,
    namespace: ztunnel.namespace,
    component: ztunnelName,
    labels: ztunnel.labels,
    annotations: { ...ztunnel.annotations, ...revisionAnnotation(mesh) },
  };
  return [
    renderServiceAccount(mesh, context, metadata),
    ...(mesh.platform === 'openshift' ? renderOpenShiftRole(mesh, context) : []),
    ...renderResourceQuota(mesh, context, { ...metadata, annotations: {}, pods: ztunnel.quota }),
    renderObject('ztunnel/30-daemon-set', {
      metadata: objectMetadata(mesh, context, metadata),
      ...daemonSetView(mesh, ztunnel),
    }),
  ];
}

const selector = { app: ztunnelName };

/** Which control plane it follows. */
function revisionAnnotation({ revision }: ResolvedMesh): Record<string, string> {
  return revision === '' ? {} : { 'istio.io/rev': revision };
}

function renderOpenShiftRole(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const role = { name: ztunnelName, component: ztunnelName, annotations: mesh.ztunnel.annotations };
  return [
    renderObject('ztunnel/10-cluster-role', { metadata: objectMetadata(mesh, context, role) }),
    renderRoleBinding(mesh, context, {
      roleKind: 'ClusterRole',
      roleName: ztunnelName,
      subject: { name: ztunnelName, namespace: mesh.ztunnel.namespace },
      component: ztunnelName,
    }),
  ];
}

function daemonSetView(mesh: ResolvedMesh, ztunnel: ResolvedZtunnel) {
  return {
    ...podView(mesh, ztunnel),
    ...containerView(ztunnel, { readinessProbe, volumes: volumesOf(mesh), volumeMounts: mountsOf(ztunnel) }),
    serviceAccountName: ztunnelName,
    selector,
    podLabels: {
      ...ztunnel.podLabels,
      ...selector,
      ...componentLabels(mesh, ztunnelName),
      'sidecar.istio.io/inject': 'false',
      'istio.io/dataplane-mode': 'none',
    },
    podAnnotations: {
      'sidecar.istio.io/inject': 'false',
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '15020',
      ...revisionAnnotation(mesh),
      ...ztunnel.podAnnotations,
    },
    terminationGracePeriodSeconds: ztunnel.terminationGracePeriodSeconds,
    image: ztunnel.image,
    env: mergeEnv(ownEnv(mesh, ztunnel), ztunnel.env),
    containerSecurityContext: containerSecurityContext(ztunnel),
  };
}

const readinessProbe: JsonObject = { httpGet: { path: '/healthz/ready', port: 15021 } };

function ownEnv(mesh: ResolvedMesh, ztunnel: ResolvedZtunnel): JsonObject[] {
  const { addresses, network, logAsJson, logLevel, terminationGracePeriodSeconds } = ztunnel;
  return [
    envValue('CA_ADDRESS', addresses.authority),
    envValue('XDS_ADDRESS', addresses.discovery),
    ...(logAsJson ? [envValue('LOG_FORMAT', 'json')] : []),
    ...(network === '' ? [] : [envValue('NETWORK', network)]),
    envValue('RUST_LOG', logLevel),
    envValue('RUST_BACKTRACE', '1'),
    envValue('ISTIO_META_CLUSTER_ID', mesh.clusterId),
    envValue('INPOD_ENABLED', 'true'),
    envValue('TERMINATION_GRACE_PERIOD_SECONDS', String(terminationGracePeriodSeconds)),
    envField('POD_NAME', 'metadata.name'),
    envField('POD_NAMESPACE', 'metadata.namespace'),
    envField('NODE_NAME', 'spec.nodeName'),
    envField('INSTANCE_IP', 'status.podIP'),
    envField('SERVICE_ACCOUNT', 'spec.serviceAccountName'),
    ...proxyMetadata(mesh),
    envResource('ZTUNNEL_CPU_LIMIT', 'limits.cpu'),
    ...cpuResources(mesh, ztunnel),
    ...(ztunnel.checksRevocation ? [envValue('CRL_PATH', `${revocationPath}/ca-crl.pem`)] : []),
  ];
}

/** As sidecars have it, from `meshConfig.defaultConfig`. */
function proxyMetadata({ meshConfig: { defaultConfig } }: ResolvedMesh): JsonObject[] {
  const metadata = isRecord(defaultConfig) ? defaultConfig.proxyMetadata : undefined;
  return Object.entries(isRecord(metadata) ? metadata : {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => envValue(name, String(value)));
}

/** Releases before 1.31 do not read them. */
function cpuResources({ version }: ResolvedMesh, { resources }: ResolvedZtunnel): JsonObject[] {
  if (!isAtLeast(version, '1.31')) return [];
  const has = (kind: 'limits' | 'requests') => isRecord(resources[kind]) && resources[kind].cpu !== undefined;
  return [
    ...(has('limits') ? [envResource('ZTUNNEL_RESOURCE_CPU_LIMIT', 'limits.cpu')] : []),
    ...(has('requests') ? [envResource('ZTUNNEL_RESOURCE_CPU_REQUEST', 'requests.cpu')] : []),
  ];
}

/** Sockets that are not its own (NET_ADMIN, NET_RAW), in networks of pods (SYS_ADMIN, which implies escalation). */
function containerSecurityContext({ seLinuxOptions }: ResolvedZtunnel): JsonObject {
  return {
    allowPrivilegeEscalation: true,
    privileged: false,
    capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'SYS_ADMIN', 'NET_RAW'] },
    readOnlyRootFilesystem: true,
    runAsUser: 0,
    runAsGroup: 1337,
    runAsNonRoot: false,
    ...(seLinuxOptions === undefined ? {} : { seLinuxOptions }),
  };
}

const revocationPath = '/var/run/secrets/istio/crl';

function volumesOf({ ztunnel, injection }: ResolvedMesh): JsonObject[] {
  const token = { audience: 'istio-ca', expirationSeconds: 43200, path: 'istio-token' };
  const { clusterTrustBundle, trustBundleName } = injection;
  const bundle = {
    name: `istio.io:istiod-ca:${trustBundleName || 'root-cert'}`,
    path: 'root-cert.pem',
  };
  return [
    { name: 'istio-token', projected: { sources: [{ serviceAccountToken: token }] } },
    clusterTrustBundle
      ? { name: 'istiod-ca-cert', projected: { sources: [{ clusterTrustBundle: bundle }] } }
      : { name: 'istiod-ca-cert', configMap: { name: trustBundleName || 'istio-ca-root-cert' } },
    // The agent may start later.
    hostPath('cni-ztunnel-sock-dir', '/var/run/ztunnel', 'DirectoryOrCreate'),
    { name: 'tmp', emptyDir: {} },
    ...(ztunnel.checksRevocation
      ? [{ name: 'crl-volume', configMap: { name: injection.crlConfigMapName, optional: true } }]
      : []),
  ];
}

function mountsOf({ checksRevocation }: ResolvedZtunnel): JsonObject[] {
  return [
    { name: 'istiod-ca-cert', mountPath: '/var/run/secrets/istio' },
    { name: 'istio-token', mountPath: '/var/run/secrets/tokens' },
    { name: 'cni-ztunnel-sock-dir', mountPath: '/var/run/ztunnel' },
    { name: 'tmp', mountPath: '/tmp' },
    ...(checksRevocation ? [{ name: 'crl-volume', mountPath: revocationPath, readOnly: true }] : []),
  ];
}
