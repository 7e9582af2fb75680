import { type JsonObject, revisionLabel } from '../api/resolved-mesh.ts';
import { names } from './annotation-names.ts';
import { proxyMetadataOf } from './effective-proxy-config.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { annotationOf, labelOf, type Pod } from './pod.ts';
import { proxyDefaultsOf } from './proxy-defaults.ts';
import {
  appContainerNames,
  type ProxyFlavour,
  proxyEnvironment,
  trafficEnvironment,
  trustDomainOf,
} from './proxy-environment.ts';
import { proxyImage, trafficImage } from './proxy-image.ts';
import { proxyUid, sidecarSecurityContext, trafficSecurityContext } from './proxy-security.ts';
import { grpcAppMounts, proxyMounts, proxyVolumes } from './proxy-volumes.ts';
import { annotatedOr, cniAnnotations, statusPortOf, trafficArgs } from './traffic-capture.ts';

/** What templates print. Custom templates see the view of `sidecar`. */
export interface TemplateView {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly pod: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly serviceAccountName: string;
    /** Names of the containers, that of the proxy not among them. */
    readonly appContainers: readonly string[];
    /** Names of all containers. */
    readonly containers: readonly string[];
  };
  readonly workload: { readonly apiVersion: string; readonly kind: string; readonly name: string };
  readonly mesh: {
    readonly namespace: string;
    readonly revision: string;
    readonly hub: string;
    readonly tag: string;
    readonly meshId: string;
    readonly clusterId: string;
    readonly network: string;
    readonly trustDomain: string;
    readonly config: JsonObject;
  };
  readonly proxyConfig: JsonObject;
  readonly native: boolean;
  readonly imagePullSecrets: readonly string[];
  /** The container that captures traffic; null when nothing is captured. */
  readonly traffic: object | null;
  readonly proxy: object;
  readonly volumes: readonly JsonObject[];
  readonly podSecurityContext: JsonObject;
  /** Volume mounts that applications which speak xDS themselves share with the agent. */
  readonly grpcAppMounts: readonly JsonObject[];
}

/** Everything that the template of this name may print. */
export function templateView(facts: InjectionFacts, template: string): TemplateView {
  const flavour = flavourOf(template);
  const { pod, mesh, workload } = facts;
  return {
    labels: labelsOf(facts, flavour),
    annotations: annotationsOf(facts, flavour),
    pod: {
      name: pod.metadata.name ?? '',
      namespace: facts.namespace,
      labels: pod.metadata.labels ?? {},
      annotations: pod.metadata.annotations ?? {},
      serviceAccountName: pod.spec.serviceAccountName ?? '',
      appContainers: appContainerNames(facts),
      containers: pod.spec.containers.map(({ name }) => name),
    },
    workload: { apiVersion: workload.apiVersion, kind: workload.kind, name: workload.name },
    mesh: {
      namespace: mesh.namespace,
      revision: mesh.revision,
      hub: mesh.hub,
      tag: mesh.tag,
      meshId: mesh.meshId,
      clusterId: mesh.clusterId,
      network: mesh.network,
      trustDomain: trustDomainOf(facts),
      config: mesh.meshConfig,
    },
    proxyConfig: facts.proxyConfig,
    native: facts.isNative,
    imagePullSecrets: mesh.imagePullSecrets,
    traffic: facts.interceptionMode === 'NONE' ? null : trafficContainer(facts),
    proxy: proxyContainer(facts, flavour),
    volumes: proxyVolumes(facts, flavour),
    podSecurityContext: mesh.injection.gatewaySecurityContext ?? {
      sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
    },
    grpcAppMounts: flavour === 'grpc-agent' ? grpcAppMounts(facts) : [],
  };
}

function flavourOf(template: string): ProxyFlavour {
  return template === 'gateway' || template === 'grpc-agent' ? template : 'sidecar';
}

function labelsOf(facts: InjectionFacts, flavour: ProxyFlavour): Record<string, string> {
  const { pod, proxyConfig } = facts;
  const tunnels = proxyMetadataOf(proxyConfig).some(
    ([name, text]) => name === 'ISTIO_META_ENABLE_HBONE' && text === 'true',
  );
  return {
    ...(flavour === 'sidecar' ? { [names.tlsMode]: labelOf(pod, names.tlsMode) || 'istio' } : {}),
    ...(flavour === 'sidecar' && tunnels ? { [names.tunnel]: labelOf(pod, names.tunnel) || 'http' } : {}),
    [names.canonicalName]: canonicalName(facts),
    [names.canonicalRevision]:
      labelOf(pod, names.canonicalRevision) ||
      labelOf(pod, 'app.kubernetes.io/version') ||
      labelOf(pod, 'version') ||
      'latest',
  };
}

/** The name under which telemetry knows the workload. */
function canonicalName({ pod, workload }: InjectionFacts): string {
  const name =
    labelOf(pod, names.canonicalName) ||
    labelOf(pod, 'app.kubernetes.io/name') ||
    labelOf(pod, 'app') ||
    workload.name;
  return canonicalLabel(name);
}

/** A name as the value of a label: at most 63 characters, no separator at either end. */
export function canonicalLabel(name: string): string {
  return name.slice(0, 63).replace(/^[-_.]+|[-_.]+$/g, '');
}

function annotationsOf(facts: InjectionFacts, flavour: ProxyFlavour): Record<string, string> {
  return {
    [names.revision]: revisionLabel(facts.mesh.revision),
    ...defaultContainer(facts),
    ...(flavour === 'sidecar' ? cniAnnotations(facts) : {}),
    ...(flavour === 'grpc-agent' ? { [names.rewriteProbers]: 'false' } : {}),
  };
}

/** What `kubectl exec` and `kubectl logs` mean when nobody says which container. */
function defaultContainer(facts: InjectionFacts): Record<string, string> {
  const [first] = appContainerNames(facts);
  if (first === undefined) return {};
  const missing = [names.defaultLogsContainer, names.defaultContainer].filter(
    (name) => annotationOf(facts.pod, name) === undefined,
  );
  return Object.fromEntries(missing.map((name) => [name, first]));
}

function trafficContainer(facts: InjectionFacts): object {
  const { cni, imagePullPolicy } = facts.mesh.injection;
  return {
    name: cni.enabled ? 'istio-validation' : 'istio-init',
    image: trafficImage(facts),
    imagePullPolicy: imagePullPolicy ?? null,
    args: trafficArgs(facts),
    env: trafficEnvironment(facts),
    resources: resourcesOf(facts),
    securityContext: trafficSecurityContext(facts),
  };
}

function proxyContainer(facts: InjectionFacts, flavour: ProxyFlavour): object {
  const { injection } = facts.mesh;
  const probes = statusPortOf(facts) !== '0' || flavour === 'gateway';
  return {
    image: proxyImage(facts),
    imagePullPolicy: injection.imagePullPolicy ?? null,
    args: proxyArgs(facts, flavour),
    env: proxyEnvironment(facts, flavour),
    lifecycle: lifecycleOf(facts, flavour),
    readiness: probes ? readinessOf(facts, flavour) : null,
    startup: probes && injection.startupProbe.enabled ? injection.startupProbe : null,
    resources: resourcesOf(facts),
    securityContext: sidecarSecurityContext(facts),
    uid: proxyUid,
    mounts: proxyMounts(facts, flavour),
  };
}

function proxyArgs(facts: InjectionFacts, flavour: ProxyFlavour): string[] {
  const { mesh } = facts;
  const { stsPort, outlierLogPath } = mesh.injection;
  return [
    'proxy',
    flavour === 'gateway' ? 'router' : 'sidecar',
    '--domain',
    `$(POD_NAMESPACE).svc.${mesh.proxy.clusterDomain}`,
    `--proxyLogLevel=${annotatedOr(facts, names.logLevel, mesh.proxy.logLevel)}`,
    `--proxyComponentLogLevel=${annotatedOr(facts, names.componentLogLevel, mesh.proxy.componentLogLevel)}`,
    `--log_output_level=${annotatedOr(facts, names.agentLogLevel, mesh.pilot.logLevel)}`,
    ...(stsPort === 0 ? [] : [`--stsPort=${stsPort}`]),
    ...(mesh.pilot.logAsJson ? ['--log_as_json'] : []),
    ...(flavour === 'sidecar' && outlierLogPath !== '' ? [`--outlierLogPath=${outlierLogPath}`] : []),
  ];
}

function lifecycleOf(facts: InjectionFacts, flavour: ProxyFlavour): JsonObject | null {
  const { lifecycle } = facts.mesh.injection;
  if (flavour === 'grpc-agent') {
    return execHook('postStart', ['pilot-agent', 'wait', '--url=http://localhost:15020/healthz/ready']);
  }
  if (lifecycle !== undefined) return lifecycle;
  if (flavour === 'gateway') return null;
  if (!facts.isNative) return holdsApplication(facts) ? execHook('postStart', ['pilot-agent', 'wait']) : null;
  // Applications end first, so the proxy drains before it is told to stop.
  const port = `--debug-port=${drainPort(facts)}`;
  return execHook('preStop', ['pilot-agent', 'request', port, 'POST', 'drain']);
}

/** The agent answers requests of its own pod at these ports only, so another status port must not be asked. */
function drainPort(facts: InjectionFacts): string {
  const port = statusPortOf(facts);
  return ['15000', '15004', '15020', '15021'].includes(port) ? port : '15020';
}

/** Whether the containers of the application wait for the proxy. */
export function holdsApplication({ mesh, proxyConfig }: InjectionFacts): boolean {
  return (
    mesh.injection.holdApplicationUntilProxyStarts || proxyConfig.holdApplicationUntilProxyStarts === true
  );
}

function execHook(hook: 'postStart' | 'preStop', command: string[]): JsonObject {
  return { [hook]: { exec: { command } } };
}

function readinessOf(facts: InjectionFacts, flavour: ProxyFlavour): object {
  const { readiness } = facts.mesh.proxy;
  const number = (name: string, preset: number) =>
    flavour === 'gateway' ? preset : Number(annotatedOr(facts, name, String(preset)));
  return {
    initialDelaySeconds: number(names.readinessInitialDelay, readiness.initialDelaySeconds),
    periodSeconds: number(names.readinessPeriod, readiness.periodSeconds),
    failureThreshold: number(names.readinessFailureThreshold, readiness.failureThreshold),
  };
}

/** One annotation replaces the whole block: what it does not say is then not limited. */
function resourcesOf(facts: InjectionFacts): JsonObject {
  const { pod, mesh, namespace } = facts;
  const requests = quantities(pod, names.proxyCpu, names.proxyMemory);
  const limits = quantities(pod, names.proxyCpuLimit, names.proxyMemoryLimit);
  if (requests === undefined && limits === undefined) {
    return (proxyDefaultsOf(mesh, namespace) ?? mesh.injection).resources;
  }
  return { ...(requests === undefined ? {} : { requests }), ...(limits === undefined ? {} : { limits }) };
}

function quantities(pod: Pod, cpuName: string, memoryName: string): JsonObject | undefined {
  const [cpu, memory] = [annotationOf(pod, cpuName), annotationOf(pod, memoryName)];
  if (cpu === undefined && memory === undefined) return undefined;
  return { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
}
