import { isRecord } from '../base/stable-json.ts';
import { mergeJson } from './merge-json.ts';
import type { JsonObject, ResolvedPods, ResolvedWorkload } from './resolved-mesh.ts';
import type { DaemonSetSettings, WorkloadSettings } from './spec/kubernetes-settings.ts';
import type { Values } from './spec/values.ts';

/** What pods start from: defaults of the component with `values` already merged in. */
export interface PodDefaults {
  readonly resources: JsonObject;
  readonly env?: readonly JsonObject[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly JsonObject[];
  readonly affinity?: JsonObject;
  readonly podAnnotations?: Readonly<Record<string, string>>;
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Counts before that of all components. */
  readonly priorityClassName?: string;
  /** Counts before that of all components. */
  readonly imagePullPolicy?: string;
}

/** What a Deployment starts from. */
export interface WorkloadDefaults extends PodDefaults {
  /** HPA `spec`; undefined when there is none unless the settings ask for one. */
  readonly hpaSpec: JsonObject | undefined;
  readonly replicas: number;
  readonly rollingUpdate: JsonObject;
  readonly topologySpreadConstraints?: readonly JsonObject[];
  readonly serviceAnnotations?: Readonly<Record<string, string>>;
}

/** What a DaemonSet starts from. */
export interface DaemonSetDefaults extends PodDefaults {
  /** `spec.updateStrategy`. */
  readonly updateStrategy: JsonObject;
}

type GlobalValues = NonNullable<Values['global']>;
/** What settings of Deployments and of DaemonSets have in common. */
type PodSettings = Omit<DaemonSetSettings, 'strategy'>;

const defaultMaxReplicas = 5;

/** The defaults with `components.*.k8s` on top; maps merge key by key, lists are replaced, `env` merges by name. */
export function resolveWorkload(
  defaults: WorkloadDefaults,
  settings: WorkloadSettings,
  global: GlobalValues,
): ResolvedWorkload {
  const hpaSpec = resolveHpaSpec(defaults, settings);
  const replicas = settings.replicaCount ?? defaults.replicas;
  const podDisruptionBudget = resolvePodDisruptionBudget(settings, hpaSpec, replicas);
  return {
    ...resolvePods(defaults, settings, global),
    ...(hpaSpec === undefined ? { replicas } : { hpaSpec }),
    ...(podDisruptionBudget === undefined ? {} : { podDisruptionBudget }),
    topologySpreadConstraints:
      (settings.topologySpreadConstraints as readonly JsonObject[] | undefined) ??
      defaults.topologySpreadConstraints ??
      [],
    serviceAnnotations: { ...defaults.serviceAnnotations, ...settings.serviceAnnotations },
    strategy: resolveStrategy(defaults.rollingUpdate, settings.strategy as JsonObject | undefined),
  };
}

/** The same for a DaemonSet. */
export function resolveDaemonSet(
  defaults: DaemonSetDefaults,
  settings: DaemonSetSettings,
  global: GlobalValues,
): ResolvedPods {
  return {
    ...resolvePods(defaults, settings, global),
    strategy: mergeUpdateStrategy(defaults.updateStrategy, settings.strategy as JsonObject | undefined),
  };
}

/**
 * A DaemonSet's `updateStrategy`, merged. While pods are replaced a node has one more or one less, never both and never
 * neither, so a limit that is asked for alone decides about the other one.
 */
export function mergeUpdateStrategy(base: JsonObject, asked: JsonObject | undefined): JsonObject {
  const type = asked?.type ?? base.type ?? 'RollingUpdate';
  if (type === 'OnDelete') return { type };
  const { maxSurge, maxUnavailable } = isRecord(asked?.rollingUpdate) ? asked.rollingUpdate : {};
  const given = maxSurge ?? maxUnavailable;
  if (given === undefined) return { type, rollingUpdate: base.rollingUpdate ?? {} };
  const other = given === 0 || given === '0%' ? 1 : 0;
  return {
    type,
    rollingUpdate: { maxSurge: maxSurge ?? other, maxUnavailable: maxUnavailable ?? other } as JsonObject,
  };
}

function resolvePods(
  defaults: PodDefaults,
  settings: PodSettings,
  global: GlobalValues,
): Omit<ResolvedPods, 'strategy'> {
  const affinity = (settings.affinity as JsonObject | undefined) ?? defaults.affinity;
  const priorityClassName =
    settings.priorityClassName ?? defaults.priorityClassName ?? global.priorityClassName;
  const imagePullPolicy = settings.imagePullPolicy ?? defaults.imagePullPolicy ?? global.imagePullPolicy;
  return {
    ...(affinity === undefined ? {} : { affinity: mergeJson(affinity) }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    ...(settings.securityContext === undefined
      ? {}
      : { securityContext: mergeJson(settings.securityContext as JsonObject) }),
    ...(settings.readinessProbe === undefined
      ? {}
      : { readinessProbe: mergeJson(settings.readinessProbe as JsonObject) }),
    ...(settings.volumes === undefined ? {} : { volumes: settings.volumes as readonly JsonObject[] }),
    ...(settings.volumeMounts === undefined
      ? {}
      : { volumeMounts: settings.volumeMounts as readonly JsonObject[] }),
    resources: mergeJson(defaults.resources, settings.resources as JsonObject | undefined),
    env: mergeByName(defaults.env ?? [], (settings.env ?? []) as readonly JsonObject[]),
    nodeSelector: { ...defaults.nodeSelector, ...settings.nodeSelector },
    tolerations: (settings.tolerations as readonly JsonObject[] | undefined) ?? defaults.tolerations ?? [],
    podAnnotations: { ...defaults.podAnnotations, ...settings.podAnnotations },
    podLabels: { ...defaults.podLabels },
  };
}

/** `values.*.env` as a list of variables, in one order. */
export function envVariables(env: Readonly<Record<string, string>> | undefined): JsonObject[] {
  return Object.entries(env ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value }));
}

/** The HPA `spec` that upstream charts start from. */
export function defaultHpaSpec(range: {
  readonly min: number;
  readonly max: number;
  readonly cpuUtilization: number;
  readonly memoryUtilization?: number | undefined;
}): JsonObject {
  const metrics = [utilization('cpu', range.cpuUtilization)];
  if (range.memoryUtilization !== undefined) metrics.push(utilization('memory', range.memoryUtilization));
  return { minReplicas: range.min, maxReplicas: Math.max(range.min, range.max), metrics };
}

function utilization(name: string, averageUtilization: number): JsonObject {
  return { type: 'Resource', resource: { name, target: { type: 'Utilization', averageUtilization } } };
}

/** A replica count without an HPA spec is a fixed number; with one it is the least number. */
function resolveHpaSpec(defaults: WorkloadDefaults, settings: WorkloadSettings): JsonObject | undefined {
  if (settings.hpaSpec === undefined) {
    return settings.replicaCount === undefined ? defaults.hpaSpec : undefined;
  }
  const { scaleTargetRef: _theOwn, ...asked } = settings.hpaSpec;
  const base = defaults.hpaSpec ?? defaultHpaSpec({ min: 1, max: defaultMaxReplicas, cpuUtilization: 80 });
  const least = settings.replicaCount === undefined ? {} : { minReplicas: settings.replicaCount };
  const merged = mergeJson(base, least, asked as JsonObject);
  if (asked.maxReplicas === undefined) {
    merged.maxReplicas = Math.max(Number(merged.minReplicas), Number(merged.maxReplicas));
  }
  if (asked.minReplicas === undefined) {
    merged.minReplicas = Math.min(Number(merged.minReplicas), Number(merged.maxReplicas));
  }
  return merged;
}

/** What the user asks for always counts; the default only with a second pod, since it would block drains. */
function resolvePodDisruptionBudget(
  settings: WorkloadSettings,
  hpaSpec: JsonObject | undefined,
  replicas: number,
): JsonObject | undefined {
  const asked = settings.podDisruptionBudget as JsonObject | undefined;
  const least = hpaSpec === undefined ? replicas : Number(hpaSpec.minReplicas);
  if (asked === undefined) return least > 1 ? { minAvailable: 1 } : undefined;
  // Kubernetes refuses both bounds in one budget.
  return asked.maxUnavailable === undefined ? mergeJson({ minAvailable: 1 }, asked) : mergeJson(asked);
}

function resolveStrategy(rollingUpdate: JsonObject, asked: JsonObject | undefined): JsonObject {
  if (asked?.type === 'Recreate') return { type: 'Recreate' };
  const users = isRecord(asked?.rollingUpdate) ? (asked.rollingUpdate as JsonObject) : undefined;
  return { type: 'RollingUpdate', rollingUpdate: mergeJson(rollingUpdate, users) };
}

function mergeByName(first: readonly JsonObject[], second: readonly JsonObject[]): JsonObject[] {
  const byName = new Map<string, JsonObject>();
  for (const item of [...first, ...second]) byName.set(String(item.name), item);
  return [...byName.values()];
}
