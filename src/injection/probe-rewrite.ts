import type { Json, JsonObject } from '../api/resolved-mesh.ts';
import { isRecord } from '../base/stable-json.ts';
import { names } from './annotation-names.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { annotationOf, type Container, findProxy, type Pod, proxyContainerName } from './pod.ts';
import { parseBoolean } from './validate-annotations.ts';

const probersName = 'ISTIO_KUBE_APP_PROBERS';

const probes = [
  ['readinessProbe', 'app-health', 'readyz'],
  ['livenessProbe', 'app-health', 'livez'],
  ['startupProbe', 'app-health', 'startupz'],
] as const;

const hooks = [
  ['preStop', 'app-lifecycle', 'prestopz'],
  ['postStart', 'app-lifecycle', 'poststartz'],
] as const;

/** A place in a pod that the kubelet asks over the network. */
interface Probe {
  readonly container: Container;
  /** Where the agent answers in its stead. */
  readonly path: string;
  readonly action: JsonObject;
  readonly isHook: boolean;
  replace(action: JsonObject): void;
}

/**
 * Lets the agent answer the probes of the application: the kubelet has no certificate for mTLS. What they asked goes
 * into the proxy's environment. Commands are left alone. Changes the pod.
 */
export function rewriteProbes(pod: Pod, facts: InjectionFacts): void {
  const proxy = findProxy(pod);
  const asked = parseBoolean(annotationOf(pod, names.rewriteProbers));
  if (proxy === undefined || !(asked ?? facts.mesh.injection.rewriteAppHTTPProbers)) return;
  const found = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
    .filter(({ name }) => name !== proxyContainerName)
    .flatMap(probesOf);
  const statusPort = Number(annotationOf(pod, names.statusPort) ?? facts.meshStatusPort);
  const agentPorts = [statusPort, facts.meshStatusPort];
  const probers = found.flatMap((probe) => {
    const prober = proberOf(probe, agentPorts);
    return prober === undefined ? [] : [[probe.path, prober] as const];
  });
  if (probers.length > 0) addProbers(proxy, Object.fromEntries(probers));
  for (const probe of found) probe.replace(rewritten(probe, statusPort));
}

function probesOf(container: Container): Probe[] {
  const ofContainer = probes.flatMap(([field, prefix, last]): Probe[] => {
    const action = container[field];
    if (!isNetworkAction(action) && !(isRecord(action) && isRecord(action.grpc))) return [];
    const path = `/${prefix}/${container.name}/${last}`;
    return [
      {
        container,
        path,
        action: action as JsonObject,
        isHook: false,
        replace: (value) => {
          container[field] = value;
        },
      },
    ];
  });
  const { lifecycle } = container;
  if (!isRecord(lifecycle)) return ofContainer;
  const ofLifecycle = hooks.flatMap(([field, prefix, last]): Probe[] => {
    const action = lifecycle[field];
    if (!isNetworkAction(action)) return [];
    const path = `/${prefix}/${container.name}/${last}`;
    return [
      {
        container,
        path,
        action: action as JsonObject,
        isHook: true,
        replace: (value) => {
          container.lifecycle = { ...container.lifecycle, [field]: value };
        },
      },
    ];
  });
  return [...ofContainer, ...ofLifecycle];
}

function isNetworkAction(action: unknown): boolean {
  return isRecord(action) && (isRecord(action.httpGet) || isRecord(action.tcpSocket));
}

/** What the agent has to do for a probe; undefined when the probe asks the agent already, or a port without number. */
function proberOf(
  { container, action, isHook }: Probe,
  agentPorts: readonly number[],
): JsonObject | undefined {
  const timeout =
    isHook || action.timeoutSeconds === undefined || action.timeoutSeconds === 0
      ? {}
      : { timeoutSeconds: action.timeoutSeconds };
  const kind = (['httpGet', 'tcpSocket', 'grpc'] as const).find((name) => isRecord(action[name]));
  if (kind === undefined) return undefined;
  const target = action[kind] as JsonObject;
  if (kind === 'grpc') return { grpc: target, ...timeout };
  const port = portNumber(container, target.port);
  if (port === undefined || (typeof target.port === 'number' && agentPorts.includes(port))) return undefined;
  return { [kind]: { ...target, port }, ...timeout };
}

function portNumber({ ports }: Container, port: Json | undefined): number | undefined {
  if (typeof port === 'number') return port;
  const declared = Array.isArray(ports) ? ports.find(({ name }) => name === port) : undefined;
  return typeof declared?.containerPort === 'number' ? declared.containerPort : undefined;
}

function rewritten({ action, path }: Probe, port: number): JsonObject {
  const { httpGet, tcpSocket: _tcpSocket, grpc: _grpc, ...rest } = action;
  const before = isRecord(httpGet) ? (httpGet as JsonObject) : {};
  // The agent speaks TLS to the application, the kubelet plain HTTP to the agent.
  const scheme = before.scheme === 'HTTPS' ? { scheme: 'HTTP' } : {};
  return { ...rest, httpGet: { ...before, ...scheme, path, port } };
}

/** What an earlier injection wrote wins: by now the probes in the pod are the agent's. */
function addProbers(proxy: Container, probers: JsonObject): void {
  const env = proxy.env ?? [];
  const before = env.find(({ name }) => name === probersName);
  const value = JSON.stringify({ ...probers, ...earlierProbers(before?.value) });
  proxy.env =
    before === undefined
      ? [...env, { name: probersName, value }]
      : env.map((entry) => (entry === before ? { name: probersName, value } : entry));
}

function earlierProbers(text: string | undefined): JsonObject {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? (value as JsonObject) : {};
  } catch {
    return {}; // not of an injector: the probes of the pod are complete
  }
}
