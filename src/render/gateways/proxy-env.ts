import type { JsonObject, ResolvedGateway, ResolvedMesh } from '../../api/resolved-mesh.ts';
import { isRecord, stableJson } from '../../base/stable-json.ts';
import { discoveryAddress } from '../control-plane/names.ts';
import { envField, envLimit, envValue, mergeEnv } from '../environment.ts';

/** Label of a pod that says in which network it is; wins over the mesh's own. */
const networkLabel = 'topology.istio.io/network';

/**
 * The environment of a gateway's proxy: what istiod's injector would have put there, so that the pod needs no
 * injector. Later entries may use earlier ones; the user's win by name.
 */
export function gatewayEnv(
  mesh: ResolvedMesh,
  gateway: ResolvedGateway,
  ports: readonly JsonObject[],
): JsonObject[] {
  const network = gatewayNetwork(mesh, gateway);
  const ours = [
    envValue('PILOT_CERT_PROVIDER', 'istiod'),
    envValue('CA_ADDR', discoveryAddress(mesh)),
    envField('POD_NAME', 'metadata.name'),
    envField('POD_NAMESPACE', 'metadata.namespace'),
    envField('INSTANCE_IP', 'status.podIP'),
    envField('HOST_IP', 'status.hostIP'),
    envField('SERVICE_ACCOUNT', 'spec.serviceAccountName'),
    envField('NODE_NAME', 'spec.nodeName'),
    envLimit('ISTIO_CPU_LIMIT', 'limits.cpu'),
    envLimit('GOMAXPROCS', 'limits.cpu'),
    envLimit('GOMEMLIMIT', 'limits.memory'),
    envValue('PROXY_CONFIG', stableJson(proxyConfig(mesh))),
    envValue('ISTIO_META_POD_PORTS', stableJson(ports)),
    envValue('ISTIO_META_APP_CONTAINERS', ''),
    envValue('ISTIO_META_CLUSTER_ID', mesh.clusterId),
    envField('ISTIO_META_NODE_NAME', 'spec.nodeName'),
    ...(network === '' ? [] : [envValue('ISTIO_META_NETWORK', network)]),
    envValue('ISTIO_META_WORKLOAD_NAME', gateway.name),
    envValue('ISTIO_META_OWNER', ownerOf(gateway)),
    envValue('ISTIO_META_MESH_ID', mesh.meshId === '' ? trustDomain(mesh) : mesh.meshId),
    envValue('TRUST_DOMAIN', trustDomain(mesh)),
    // A trust bundle that grows reaches the running proxy; without it, only with its next certificate.
    envValue('PROXY_CONFIG_XDS_AGENT', 'true'),
    ...proxyMetadataEnv(mesh),
  ];
  return mergeEnv(ours, gateway.env);
}

/** The network of a gateway's pods, empty when the mesh has one network only. */
export function gatewayNetwork(mesh: ResolvedMesh, gateway: ResolvedGateway): string {
  return gateway.podLabels[networkLabel] ?? gateway.labels[networkLabel] ?? mesh.network;
}

/**
 * Everything a proxy reads once, when it starts. A change of it must restart the proxy, so its hash is an
 * annotation of the pod.
 */
export function startupSettings(mesh: ResolvedMesh): JsonObject {
  return {
    clusterId: mesh.clusterId,
    discoveryAddress: discoveryAddress(mesh),
    meshId: mesh.meshId,
    network: mesh.network,
    proxyConfig: proxyConfig(mesh),
    trustDomain: trustDomain(mesh),
    version: mesh.version.patch,
  };
}

/** What all proxies of the mesh get as their ProxyConfig; always names this mesh's istiod. */
function proxyConfig(mesh: ResolvedMesh): JsonObject {
  const { defaultConfig } = mesh.meshConfig;
  const configured = isRecord(defaultConfig) ? (defaultConfig as JsonObject) : {};
  return { discoveryAddress: discoveryAddress(mesh), ...configured };
}

/** `proxyMetadata` is for the agent's environment: it reads most of it there and not in PROXY_CONFIG. */
function proxyMetadataEnv(mesh: ResolvedMesh): JsonObject[] {
  const { proxyMetadata } = proxyConfig(mesh);
  if (!isRecord(proxyMetadata)) return [];
  return Object.keys(proxyMetadata)
    .sort()
    .map((name) => envValue(name, String(proxyMetadata[name])));
}

function trustDomain(mesh: ResolvedMesh): string {
  const { trustDomain } = mesh.meshConfig;
  return typeof trustDomain === 'string' && trustDomain !== '' ? trustDomain : 'cluster.local';
}

/** The workload that telemetry and istioctl name, in the form istiod parses. */
function ownerOf(gateway: ResolvedGateway): string {
  return `kubernetes://apis/apps/v1/namespaces/${gateway.namespace}/deployments/${gateway.name}`;
}
