import type { Json, JsonObject, ResolvedGateway, ResolvedMesh } from '../../api/resolved-mesh.ts';
import { TerminalError } from '../../base/errors.ts';
import { isRecord } from '../../base/stable-json.ts';
import { names } from '../../injection/annotation-names.ts';
import { renderInjected } from '../../injection/inject-pod.ts';
import { findProxy, type Pod, proxyContainerName } from '../../injection/pod.ts';
import { withContainerSettings, withUserVolumes } from '../container-view.ts';
import { mergeEnv } from '../environment.ts';
import { GatewayRefusedError } from './gateway-refused-error.ts';
import { withServerDefaults } from './server-defaults.ts';

/**
 * What an injection writes down for the next one. A gateway is rendered anew instead, so none is kept, and one that a
 * user wrote is not obeyed: nobody would see it in the pod that it changed.
 */
const bookkeeping: readonly string[] = [names.status, names.overrides];

/** The parts of a gateway's pod that the injection core makes; the rest are the workload's own settings. */
export interface GatewayPod {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly container: JsonObject;
  readonly volumes: readonly JsonObject[];
}

export interface GatewayPodOptions {
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccountName: string;
  /** As `spec.containers[].ports` has them. */
  readonly ports: readonly JsonObject[];
}

/**
 * The pod of a gateway, complete: built by the injection core with the template `gateway`, as it would be injected into a
 * pod that somebody writes for it (ADR 9). Throws GatewayRefusedError when its annotations ask for what cannot be.
 */
export function renderGatewayPod(
  mesh: ResolvedMesh,
  gateway: ResolvedGateway,
  options: GatewayPodOptions,
): GatewayPod {
  const pod = inject(mesh, gateway, writtenPod(gateway, options));
  const proxy = findProxy(pod);
  if (proxy === undefined) throw new Error('The template gateway gives no proxy');
  const { labels = {}, annotations = {} } = pod.metadata;
  const container = withoutUserOnOpenShift(mesh, withServerDefaults(proxy));
  return {
    labels,
    annotations: withoutBookkeeping(annotations),
    container: {
      ...withContainerSettings(container, gateway),
      ports: [...options.ports, ...portsBeside(container.ports, options.ports)],
      env: environmentOf(container.env, gateway),
    },
    volumes: withUserVolumes((pod.spec.volumes ?? []).map(withServerDefaults), gateway),
  };
}

function inject(mesh: ResolvedMesh, { name, namespace }: ResolvedGateway, pod: Pod): Pod {
  const input = {
    pod,
    mesh: {
      ...mesh,
      // Istio's own template always, and defaults of no namespace: these are made for the pods of others.
      injection: { ...mesh.injection, templates: {}, proxyDefaults: {} },
      // There is no application whose metrics could be merged with the proxy's.
      meshConfig: { ...mesh.meshConfig, enablePrometheusMerge: false },
    },
    namespace: { name: namespace },
    workload: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    // A gateway's proxy is an ordinary container on every Kubernetes.
    kubernetesMinor: 0,
  };
  try {
    return renderInjected(input, ['gateway']).pod;
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    throw new GatewayRefusedError({ name, namespace }, error);
  }
}

/** OpenShift gives each namespace users of its own, and refuses others. */
function withoutUserOnOpenShift({ platform }: ResolvedMesh, container: JsonObject): JsonObject {
  if (platform !== 'openshift' || !isRecord(container.securityContext)) return container;
  const {
    runAsUser: _user,
    runAsGroup: _group,
    ...securityContext
  } = container.securityContext as JsonObject;
  return { ...container, securityContext };
}

function withoutBookkeeping(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !bookkeeping.includes(key)));
}

/** What a person would write to have a gateway injected, and what Pod Security's restricted level asks for. */
function writtenPod(gateway: ResolvedGateway, { labels, serviceAccountName, ports }: GatewayPodOptions): Pod {
  return {
    metadata: {
      namespace: gateway.namespace,
      labels: { ...labels },
      annotations: { ...scrapeAnnotations, ...withoutBookkeeping(gateway.podAnnotations) },
    },
    spec: {
      serviceAccountName,
      containers: [
        {
          name: proxyContainerName,
          image: 'auto',
          ...(gateway.imagePullPolicy === undefined ? {} : { imagePullPolicy: gateway.imagePullPolicy }),
          ports: [...ports],
          ...(Object.keys(gateway.resources).length === 0 ? {} : { resources: gateway.resources }),
          startupProbe,
          securityContext,
        },
      ],
    },
  };
}

/** Where Prometheus finds the proxy's metrics, unless the user says otherwise. */
const scrapeAnnotations = {
  'prometheus.io/port': '15020',
  'prometheus.io/scrape': 'true',
  'prometheus.io/path': '/stats/prometheus',
};

/** Istio's template has none for gateways; without it a slow start counts as a failure of readiness. */
const startupProbe: JsonObject = {
  httpGet: { path: '/healthz/ready', port: 15021 },
  periodSeconds: 1,
  timeoutSeconds: 3,
  failureThreshold: 600,
};

const securityContext: JsonObject = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
};

/** A user's variable takes the place of the proxy's own, so that later ones may refer to it. */
function environmentOf(env: Json | undefined, gateway: ResolvedGateway): JsonObject[] {
  return mergeEnv(objectsIn(env), gateway.env);
}

/** The ports that the template adds. A merge by number alone would take one port of two protocols for one. */
function portsBeside(ports: Json | undefined, written: readonly JsonObject[]): JsonObject[] {
  const numbers = written.map(({ containerPort }) => containerPort);
  return objectsIn(ports).filter(({ containerPort }) => !numbers.includes(containerPort ?? null));
}

function objectsIn(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? (list as JsonObject[]) : [];
}
