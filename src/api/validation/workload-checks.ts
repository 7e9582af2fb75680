import { mergeJson } from '../merge-json.ts';
import type { Problem } from '../problem.ts';
import { quantityValue } from '../quantity.ts';
import { defaultProxyResources } from '../resolve-injection.ts';
import type { JsonObject } from '../resolved-mesh.ts';
import { probeHandlers } from '../spec/container-probe.ts';
import { volumeSources } from '../spec/pod-volumes.ts';
import type { Resources } from '../spec/values.ts';
import { findRepeated } from './duplicates.ts';
import type { Draft } from './schema-problems.ts';
import { nodeValuesOf, type SpecView, type WorkloadView, workloadsOf } from './spec-view.ts';

type Quantities = Readonly<Record<string, string | number | undefined>> | undefined;

/** Checks of everything under `k8s`, for istiod and each gateway. */
const workloadChecks: readonly ((workload: WorkloadView) => Problem[])[] = [
  checkAutoscalingRange,
  checkAutoscalingTarget,
  checkAutoscalingMetrics,
  checkDisruptionBudget,
  checkStrategy,
  checkEnv,
  checkTolerations,
  checkTopologySpread,
  checkReadinessProbe,
  checkVolumes,
  checkVolumeMounts,
];

export function checkWorkloads(view: SpecView): Problem[] {
  return workloadsOf(view).flatMap((workload) => workloadChecks.flatMap((check) => check(workload)));
}

/** `values.pilot`: the same rules under Helm's names. */
export function checkPilotAutoscaling({ spec }: SpecView): Problem[] {
  const { autoscaleMin, autoscaleMax } = spec.values?.pilot ?? {};
  if (autoscaleMin === undefined || autoscaleMax === undefined || autoscaleMin <= autoscaleMax) return [];
  return [
    {
      path: 'spec.values.pilot.autoscaleMin',
      message: `must not be more than autoscaleMax, but ${autoscaleMin} is more than ${autoscaleMax}`,
    },
  ];
}

export function checkPilotRollout({ spec }: SpecView): Problem[] {
  const { rollingMaxSurge, rollingMaxUnavailable } = spec.values?.pilot ?? {};
  return isZero(rollingMaxSurge) && isZero(rollingMaxUnavailable)
    ? [
        {
          path: 'spec.values.pilot.rollingMaxSurge',
          message: 'must not be 0 together with rollingMaxUnavailable',
        },
      ]
    : [];
}

/** Every `resources` of the spec. */
export function checkResources(view: SpecView): Problem[] {
  const { spec } = view;
  const blocks = [
    { path: 'spec.values.global.proxy.resources', resources: proxyResources(spec) },
    ...(spec.sidecarInjector?.proxyDefaults ?? []).map((entry, index) => ({
      path: `spec.sidecarInjector.proxyDefaults[${index}].resources`,
      resources: proxyResources(spec, entry?.resources),
    })),
    { path: 'spec.values.pilot.resources', resources: spec.values?.pilot?.resources },
    ...nodeValuesOf(view).map(({ path, values }) => ({
      path: `${path}.resources`,
      resources: values.resources,
    })),
    ...workloadsOf(view).map(({ path, settings }) => ({
      path: `${path}.resources`,
      resources: settings.resources,
    })),
  ];
  return blocks.flatMap(({ path, resources }) => [
    ...checkResourceNames(`${path}.requests`, resources?.requests),
    ...checkResourceNames(`${path}.limits`, resources?.limits),
    ...checkRequestsBelowLimits(path, resources?.requests, resources?.limits),
  ]);
}

/** What proxies get in the end: a request is too high for a limit that is a default, too. */
function proxyResources(
  spec: SpecView['spec'],
  own?: Draft<Resources>,
): { readonly requests?: Quantities; readonly limits?: Quantities } {
  const ofMesh = spec.values?.global?.proxy?.resources;
  return mergeJson(defaultProxyResources, ofMesh as JsonObject | undefined, own as JsonObject | undefined);
}

function checkResourceNames(path: string, quantities: Quantities): Problem[] {
  return Object.keys(quantities ?? {})
    .filter((name) => !/^(cpu|memory|ephemeral-storage|hugepages-.+|.+\/.+)$/.test(name))
    .map((name) => ({
      path: `${path}.${name}`,
      message:
        'is not a resource: cpu, memory, ephemeral-storage, hugepages-<size>, or an extended one with a "/"',
    }));
}

function checkRequestsBelowLimits(path: string, requests: Quantities, limits: Quantities): Problem[] {
  return Object.entries(requests ?? {}).flatMap(([name, request]) => {
    const limit = limits?.[name];
    const most = limit === undefined ? undefined : quantityValue(limit);
    const wanted = request === undefined ? undefined : quantityValue(request);
    if (most === undefined || wanted === undefined || wanted <= most) return [];
    return [
      {
        path: `${path}.requests.${name}`,
        message: `must not be more than the limit, but ${request} is more than ${limit}`,
      },
    ];
  });
}

function checkAutoscalingRange({ path, settings }: WorkloadView): Problem[] {
  const { minReplicas, maxReplicas } = settings.hpaSpec ?? {};
  const least = minReplicas ?? settings.replicaCount;
  if (maxReplicas === undefined || least === undefined || least <= maxReplicas) return [];
  const which = minReplicas === undefined ? 'replicaCount' : 'hpaSpec.minReplicas';
  return [
    {
      path: `${path}.${which}`,
      message: `must not be more than hpaSpec.maxReplicas, but ${least} is more than ${maxReplicas}`,
    },
  ];
}

function checkAutoscalingTarget({ path, deployment, settings }: WorkloadView): Problem[] {
  const name = settings.hpaSpec?.scaleTargetRef?.name;
  if (name === undefined || deployment === undefined || name === deployment) return [];
  return [
    {
      path: `${path}.hpaSpec.scaleTargetRef.name`,
      message: `must be ${deployment}, the Deployment of this component, or be left out`,
      suggestion: deployment,
    },
  ];
}

const metricBlocks = {
  Resource: 'resource',
  ContainerResource: 'containerResource',
  Pods: 'pods',
  Object: 'object',
  External: 'external',
} as const;

const targetFields = {
  Utilization: 'averageUtilization',
  AverageValue: 'averageValue',
  Value: 'value',
} as const;

function checkAutoscalingMetrics({ path, settings }: WorkloadView): Problem[] {
  return (settings.hpaSpec?.metrics ?? []).flatMap((metric, index) => {
    if (metric?.type === undefined) return [];
    const where = `${path}.hpaSpec.metrics[${index}]`;
    const block = metricBlocks[metric.type];
    const source = metric[block];
    if (source === undefined) {
      return [{ path: `${where}.${block}`, message: `is required for a metric of type ${metric.type}` }];
    }
    return [
      ...checkSingleMetric(where, metric),
      ...checkMetricTarget(`${where}.${block}.target`, source.target),
    ];
  });
}

function checkSingleMetric(where: string, metric: object): Problem[] {
  const blocks = Object.values(metricBlocks).filter((name) => Object.hasOwn(metric, name));
  return blocks.length > 1 ? [{ path: where, message: `must have only one of ${blocks.join(', ')}` }] : [];
}

function checkMetricTarget(
  where: string,
  target: { readonly type?: keyof typeof targetFields | undefined } | undefined,
) {
  if (target?.type === undefined) return [];
  const wanted = targetFields[target.type];
  const given = Object.values(targetFields).filter((field) => Object.hasOwn(target, field));
  if (given.length === 1 && given[0] === wanted) return [];
  return [{ path: where, message: `must have ${wanted}, and no other value, for type ${target.type}` }];
}

function checkDisruptionBudget({ path, settings }: WorkloadView): Problem[] {
  const { minAvailable, maxUnavailable } = settings.podDisruptionBudget ?? {};
  if (minAvailable === undefined || maxUnavailable === undefined) return [];
  return [
    { path: `${path}.podDisruptionBudget`, message: 'must have only one of minAvailable, maxUnavailable' },
  ];
}

function checkStrategy({ path, settings }: WorkloadView): Problem[] {
  const { type, rollingUpdate } = settings.strategy ?? {};
  if (type === 'Recreate' && rollingUpdate !== undefined) {
    return [{ path: `${path}.strategy.rollingUpdate`, message: 'must be left out with type Recreate' }];
  }
  if (isZero(rollingUpdate?.maxSurge) && isZero(rollingUpdate?.maxUnavailable)) {
    return [
      {
        path: `${path}.strategy.rollingUpdate.maxSurge`,
        message: 'must not be 0 together with maxUnavailable',
      },
    ];
  }
  return [];
}

function isZero(count: number | string | undefined): boolean {
  return count === 0 || count === '0%';
}

function checkEnv({ path, settings }: WorkloadView): Problem[] {
  const { env = [] } = settings;
  const repeated = thereTwice(
    `${path}.env`,
    'name',
    env.map((variable) => variable?.name),
  );
  const contradicting = env.flatMap((variable, index) => {
    const problems: Problem[] = [];
    const where = `${path}.env[${index}]`;
    if (variable?.value !== undefined && variable.valueFrom !== undefined) {
      problems.push({ path: where, message: 'must have only one of value, valueFrom' });
    }
    if (variable?.valueFrom !== undefined && Object.keys(variable.valueFrom).length !== 1) {
      problems.push({
        path: `${where}.valueFrom`,
        message: 'must have exactly one of fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef',
      });
    }
    return problems;
  });
  return [...repeated, ...contradicting];
}

function checkTolerations({ path, settings }: WorkloadView): Problem[] {
  return (settings.tolerations ?? []).flatMap((toleration, index) => {
    const where = `${path}.tolerations[${index}]`;
    const problems: Problem[] = [];
    if (toleration?.operator === 'Exists' && toleration.value !== undefined && toleration.value !== '') {
      problems.push({ path: `${where}.value`, message: 'must be left out with operator Exists' });
    }
    if (toleration !== undefined && toleration.key === undefined && toleration.operator !== 'Exists') {
      problems.push({ path: `${where}.key`, message: 'is required unless operator is Exists' });
    }
    if (toleration?.tolerationSeconds !== undefined && toleration.effect !== 'NoExecute') {
      problems.push({ path: `${where}.tolerationSeconds`, message: 'is only for effect NoExecute' });
    }
    return problems;
  });
}

function checkTopologySpread({ path, settings }: WorkloadView): Problem[] {
  return (settings.topologySpreadConstraints ?? []).flatMap((constraint, index) =>
    constraint?.minDomains !== undefined && constraint.whenUnsatisfiable === 'ScheduleAnyway'
      ? [
          {
            path: `${path}.topologySpreadConstraints[${index}].minDomains`,
            message: 'is only for whenUnsatisfiable DoNotSchedule',
          },
        ]
      : [],
  );
}

function checkReadinessProbe({ path, settings }: WorkloadView): Problem[] {
  const { readinessProbe } = settings;
  const handlers = probeHandlers.filter((handler) => readinessProbe?.[handler] !== undefined);
  if (handlers.length < 2) return [];
  return [{ path: `${path}.readinessProbe`, message: `must have only one of ${handlers.join(', ')}` }];
}

function checkVolumes({ path, settings }: WorkloadView): Problem[] {
  const { volumes = [] } = settings;
  const repeated = thereTwice(
    `${path}.volumes`,
    'name',
    volumes.map((volume) => volume?.name),
  );
  const unclear = volumes.flatMap((volume, index) =>
    volume === undefined || volumeSources.filter((source) => volume[source] !== undefined).length === 1
      ? []
      : [
          {
            path: `${path}.volumes[${index}]`,
            message: `must have exactly one of ${volumeSources.join(', ')}`,
          },
        ],
  );
  return [...repeated, ...unclear];
}

function checkVolumeMounts({ path, settings }: WorkloadView): Problem[] {
  const { volumeMounts = [] } = settings;
  const repeated = thereTwice(
    `${path}.volumeMounts`,
    'mountPath',
    volumeMounts.map((mount) => mount?.mountPath),
  );
  const wrong = volumeMounts.flatMap((mount, index) => {
    const where = `${path}.volumeMounts[${index}]`;
    const problems: Problem[] = [];
    if (mount?.mountPath?.includes(':') === true) {
      problems.push({ path: `${where}.mountPath`, message: 'must not have a colon' });
    }
    if (mount?.subPath !== undefined && mount.subPathExpr !== undefined) {
      problems.push({ path: where, message: 'must have only one of subPath, subPathExpr' });
    }
    return problems;
  });
  return [...repeated, ...wrong];
}

/** A problem for each value of a field, in the items of the list at a path, that an earlier item has. */
function thereTwice(at: string, field: string, values: readonly (string | undefined)[]): Problem[] {
  return findRepeated(values, (index, _first, value) => ({
    path: `${at}[${index}].${field}`,
    message: `${value} is there twice`,
  }));
}
