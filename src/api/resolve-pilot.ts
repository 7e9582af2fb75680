import { imageReference } from './image-reference.ts';
import { mergeJson } from './merge-json.ts';
import type { ResolveContext } from './resolve-context.ts';
import { resolvePort } from './resolve-gateway.ts';
import { defaultHpaSpec, envVariables, resolveWorkload, type WorkloadDefaults } from './resolve-workload.ts';
import type { JsonObject, ResolvedPilot, ResolvedServicePort } from './resolved-mesh.ts';
import type { Components } from './spec/components.ts';
import type { IstiodSettings } from './spec/kubernetes-settings.ts';
import type { Values } from './spec/values.ts';

const defaultResources: JsonObject = { requests: { cpu: '500m', memory: '2048Mi' } };

type Service = NonNullable<IstiodSettings['service']>;
type ServicePort = NonNullable<Service['ports']>[number];
type PilotValues = NonNullable<Values['pilot']>;

/** istiod with every default of Istio's `istiod` chart filled in. */
export function resolvePilot(
  component: Components['pilot'],
  enabledByProfile: boolean,
  context: ResolveContext,
): ResolvedPilot {
  const pilot = context.values.pilot ?? {};
  const global = context.values.global ?? {};
  return {
    ...resolveWorkload(pilotDefaults(pilot), component?.k8s ?? {}, global),
    enabled: component === undefined ? enabledByProfile : component.enabled !== false,
    image: imageReference({
      hub: pilot.hub ?? context.hub,
      image: pilot.image ?? 'pilot',
      tag: pilot.tag ?? context.tag,
      variant: pilot.variant ?? global.variant,
    }),
    extraArgs: pilot.extraContainerArgs ?? [],
    logLevel: global.logging?.level ?? 'default:info',
    logAsJson: global.logAsJson ?? false,
    keepaliveMaxServerConnectionAge: pilot.keepaliveMaxServerConnectionAge ?? '30m',
    traceSampling: pilot.traceSampling ?? 1,
    service: resolveService(component?.k8s?.service ?? {}),
  };
}

/** The ports by which proxies, the API server and monitoring find istiod. */
const ownPorts: readonly ResolvedServicePort[] = [
  { name: 'grpc-xds', port: 15010, targetPort: 15010, protocol: 'TCP' },
  { name: 'https-dns', port: 15012, targetPort: 15012, protocol: 'TCP' },
  { name: 'https-webhook', port: 443, targetPort: 15017, protocol: 'TCP' },
  { name: 'http-monitoring', port: 15014, targetPort: 15014, protocol: 'TCP' },
];

/** The Service with what the user says of ports of istiod merged over them, and other ports behind them. */
function resolveService({ ports = [], ...spec }: Service): ResolvedPilot['service'] {
  const asked = new Map(ports.map((port) => [port.port, port]));
  const merged = ownPorts.map((own) => resolvePort({ ...own, ...asked.get(own.port) } as ServicePort));
  const further = ports.filter(({ port }) => ownPorts.every((own) => own.port !== port));
  return { ports: [...merged, ...further.map(resolvePort)], spec: mergeJson(spec as JsonObject) };
}

function pilotDefaults(pilot: PilotValues): WorkloadDefaults {
  return {
    resources: mergeJson(defaultResources, pilot.resources as JsonObject | undefined),
    hpaSpec: pilot.autoscaleEnabled === false ? undefined : pilotHpaSpec(pilot),
    replicas: pilot.replicaCount ?? 1,
    rollingUpdate: {
      maxSurge: pilot.rollingMaxSurge ?? '100%',
      maxUnavailable: pilot.rollingMaxUnavailable ?? '25%',
    },
    env: envVariables(pilot.env),
    nodeSelector: pilot.nodeSelector ?? {},
    tolerations: (pilot.tolerations ?? []) as readonly JsonObject[],
    ...(pilot.affinity === undefined ? {} : { affinity: pilot.affinity as JsonObject }),
    topologySpreadConstraints: (pilot.topologySpreadConstraints ?? []) as readonly JsonObject[],
    podAnnotations: pilot.podAnnotations ?? {},
    podLabels: pilot.podLabels ?? {},
    serviceAnnotations: pilot.serviceAnnotations ?? {},
  };
}

function pilotHpaSpec(pilot: PilotValues): JsonObject {
  return defaultHpaSpec({
    min: pilot.autoscaleMin ?? 1,
    max: pilot.autoscaleMax ?? 5,
    cpuUtilization: pilot.cpu?.targetAverageUtilization ?? 80,
    memoryUtilization: pilot.memory?.targetAverageUtilization,
  });
}
