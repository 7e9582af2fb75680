import type { JsonObject } from '../api/resolved-mesh.ts';
import { isRecord, stableJson } from '../base/stable-json.ts';
import { names } from './annotation-names.ts';
import { parseJsonAnnotation } from './bounded-document.ts';
import { proxyConfigText, proxyMetadataOf } from './effective-proxy-config.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { annotationOf, type EnvVar, labelOf } from './pod.ts';
import { appContainersOf } from './previous-injection.ts';
import { telemetryAttributes } from './telemetry-attributes.ts';

/** Which proxy the environment is for. */
export type ProxyFlavour = 'sidecar' | 'gateway' | 'grpc-agent';

/** The environment of the proxy's container; later entries may refer to earlier ones. */
export function proxyEnvironment(facts: InjectionFacts, flavour: ProxyFlavour): EnvVar[] {
  return [
    ...(flavour === 'grpc-agent' ? grpcAgentEnvironment : []),
    ...(flavour === 'gateway' ? [] : probeEnvironment(facts)),
    ...identityEnvironment(facts),
    ...(flavour === 'grpc-agent' ? [] : limitEnvironment(facts)),
    value('PROXY_CONFIG', proxyConfigText(facts.proxyConfig)),
    value('ISTIO_META_POD_PORTS', stableJson(podPorts(facts))),
    value('ISTIO_META_APP_CONTAINERS', appContainerNames(facts).join(',')),
    ...metadataEnvironment(facts, flavour),
    ...(flavour === 'sidecar' ? tracingEnvironment(facts) : []),
    ...proxyMetadataOf(facts.proxyConfig).map(([name, text]) => value(name, text)),
    // gRPC resolves names through xDS, so nothing has to answer DNS, and there is no Envoy.
    ...(flavour === 'grpc-agent'
      ? [value('ISTIO_META_DNS_CAPTURE', 'false'), value('DISABLE_ENVOY', 'true')]
      : []),
  ];
}

/** The environment of the container that captures traffic. */
export function trafficEnvironment({ proxyConfig }: InjectionFacts): EnvVar[] {
  return proxyMetadataOf(proxyConfig).map(([name, text]) => value(name, text));
}

/** The names of the application's containers. */
export function appContainerNames({ pod }: InjectionFacts): string[] {
  return appContainersOf(pod).map(({ name }) => name);
}

/** The trust domain of the mesh; empty for none. */
export function trustDomainOf({ mesh }: InjectionFacts): string {
  return String(mesh.meshConfig.trustDomain ?? '');
}

const grpcAgentEnvironment: readonly EnvVar[] = [
  value('ISTIO_META_GENERATOR', 'grpc'),
  value('OUTPUT_CERTS', '/var/lib/istio/data'),
];

function probeEnvironment({ mesh }: InjectionFacts): EnvVar[] {
  const { inboundTrafficPolicy } = mesh.meshConfig;
  return isRecord(inboundTrafficPolicy) && inboundTrafficPolicy.mode === 'LOCALHOST'
    ? [value('REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION', 'true')]
    : [];
}

function identityEnvironment({ mesh }: InjectionFacts): EnvVar[] {
  return [
    value('PILOT_CERT_PROVIDER', mesh.injection.pilotCertProvider),
    value('CA_ADDR', mesh.injection.caAddress),
    field('POD_NAME', 'metadata.name'),
    field('POD_NAMESPACE', 'metadata.namespace'),
    field('INSTANCE_IP', 'status.podIP'),
    field('SERVICE_ACCOUNT', 'spec.serviceAccountName'),
    field('HOST_IP', 'status.hostIP'),
  ];
}

function limitEnvironment({ mesh }: InjectionFacts): EnvVar[] {
  const policy = mesh.injection.compliancePolicy;
  return [
    limit('ISTIO_CPU_LIMIT', 'limits.cpu'),
    limit('GOMEMLIMIT', 'limits.memory'),
    limit('GOMAXPROCS', 'limits.cpu'),
    ...(policy === '' ? [] : [value('COMPLIANCE_POLICY', policy)]),
    ...(policy === 'fips-140-3' ? [value('GODEBUG', 'fips140=only')] : []),
  ];
}

function metadataEnvironment(facts: InjectionFacts, flavour: ProxyFlavour): EnvVar[] {
  const { mesh, workload, pod } = facts;
  const asked = flavour === 'sidecar' ? labelOf(pod, names.workloadName) : undefined;
  const workloadName = asked || workload.name;
  const trustDomain = trustDomainOf(facts);
  const meshId = mesh.meshId || trustDomain;
  return [
    value('ISTIO_META_CLUSTER_ID', mesh.clusterId),
    field('ISTIO_META_NODE_NAME', 'spec.nodeName'),
    ...(flavour === 'grpc-agent'
      ? []
      : [value('ISTIO_META_INTERCEPTION_MODE', interceptionMode(facts, flavour))]),
    ...(mesh.network === '' ? [] : [value('ISTIO_META_NETWORK', mesh.network)]),
    ...(workloadName === '' ? [] : [value('ISTIO_META_WORKLOAD_NAME', workloadName)]),
    ...(workload.name === '' ? [] : [value('ISTIO_META_OWNER', ownerText(facts))]),
    ...(flavour !== 'grpc-agent' && annotationOf(pod, names.bootstrapOverride) !== undefined
      ? [value('ISTIO_BOOTSTRAP_OVERRIDE', '/etc/istio/custom-bootstrap/custom_bootstrap.json')]
      : []),
    ...(meshId === '' ? [] : [value('ISTIO_META_MESH_ID', meshId)]),
    ...(trustDomain === '' ? [] : [value('TRUST_DOMAIN', trustDomain)]),
  ];
}

/** A gateway captures nothing, so the annotation means nothing to it. */
function interceptionMode(facts: InjectionFacts, flavour: ProxyFlavour): string {
  return flavour === 'gateway'
    ? String(facts.proxyConfig.interceptionMode ?? 'REDIRECT')
    : facts.interceptionMode;
}

function ownerText({ workload, namespace }: InjectionFacts): string {
  const { apiVersion, kind, name } = workload;
  return `kubernetes://apis/${apiVersion}/namespaces/${namespace || 'default'}/${kind.toLowerCase()}s/${name}`;
}

function tracingEnvironment(facts: InjectionFacts): EnvVar[] {
  const attributes = telemetryAttributes(facts);
  return [
    ...datadogEnvironment(facts),
    ...(attributes === '' ? [] : [value('OTEL_RESOURCE_ATTRIBUTES', attributes)]),
  ];
}

function datadogEnvironment({ mesh, pod }: InjectionFacts): EnvVar[] {
  const text = annotationOf(pod, names.datadogEnv);
  if (mesh.injection.tracer !== 'datadog' || text === undefined) return [];
  const entries = Object.entries(parseJsonAnnotation(names.datadogEnv, text)).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  return entries.map(([name, inner]) =>
    value(name, typeof inner === 'string' ? inner : JSON.stringify(inner)),
  );
}

/** Every declared port: of the application first, then of what the author wrote for the proxy. */
function podPorts({ pod }: InjectionFacts): JsonObject[] {
  const apps = appContainersOf(pod);
  const others = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].filter(
    (container) => container.name === 'istio-proxy',
  );
  return [...apps, ...others].flatMap(({ ports }) => (Array.isArray(ports) ? ports : []));
}

function value(name: string, text: string): EnvVar {
  return { name, value: text };
}

function field(name: string, fieldPath: string): EnvVar {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

function limit(name: string, resource: string): EnvVar {
  return { name, valueFrom: { resourceFieldRef: { resource, divisor: '1' } } };
}
