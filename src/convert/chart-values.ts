import { revisionSuffix } from '../api/resolved-mesh.ts';
import { isRecord } from '../base/stable-json.ts';
import { isChartDefault } from './chart-defaults.ts';
import { type Draft, isEmptyTree, itemsOf, overlayTree, patchesOf } from './draft.ts';
import type { Ledger } from './ledger.ts';
import type { SettingSource } from './setting-source.ts';
import { given, jsonOf, type Path, type SettingTree, settingsOf } from './setting-tree.ts';

/** What the settings around the values say. */
export interface ChartContext {
  /** Where istiod runs. */
  readonly namespace: string;
  /** Empty for the default one. */
  readonly revision: string;
}

const pilot = ['spec', 'components', 'pilot', 'k8s'] as const;
const overlays = [...pilot, 'overlays'] as const;

/** Values that are a field of the mesh elsewhere: of the values, and of `spec`. */
const moved: readonly (readonly [from: string, to: string])[] = [
  ['meshConfig', 'meshConfig'],
  ['pilot.seccompProfile', 'components.pilot.k8s.securityContext.seccompProfile'],
  ['pilot.volumes', 'components.pilot.k8s.volumes'],
  ['pilot.volumeMounts', 'components.pilot.k8s.volumeMounts'],
  ['pilot.ipFamilies', 'components.pilot.k8s.service.ipFamilies'],
  ['pilot.ipFamilyPolicy', 'components.pilot.k8s.service.ipFamilyPolicy'],
  ['pilot.trafficDistribution', 'components.pilot.k8s.service.trafficDistribution'],
  ['istio_cni', 'values.pilot.cni'],
];

/** Values that nothing reads, or that only say what is the case here anyway. */
const idle: readonly (readonly [path: string, reason: string])[] = [
  ['_internal_defaults_do_not_set', 'are the defaults of the chart'],
  ['_original', 'is a copy of what was set'],
  ['global.omitSidecarInjectorConfigMap', 'speaks of a ConfigMap that is not there'],
  ['global.multiCluster.enabled', 'is read by nothing'],
  ['global.multiCluster.globalDomainSuffix', 'is read by nothing'],
  ['global.multiCluster.includeEnvoyFilter', 'is read by nothing'],
];

/** Values that are fields of objects, by the object and the path in it. */
const patched: readonly {
  readonly from: string;
  readonly kind: 'Deployment' | 'ServiceAccount';
  readonly path: string;
}[] = [
  {
    from: 'pilot.initContainers',
    kind: 'Deployment',
    path: 'spec.template.spec.initContainers',
  },
  {
    from: 'pilot.terminationMessagePolicy',
    kind: 'Deployment',
    path: 'spec.template.spec.containers.[name:discovery].terminationMessagePolicy',
  },
];

/** Maps of texts that are added to those of objects. */
const labelled = [
  { from: 'pilot.deploymentLabels', kind: 'Deployment', path: 'metadata.labels' },
  { from: 'pilot.deploymentAnnotations', kind: 'Deployment', path: 'metadata.annotations' },
  { from: 'pilot.serviceAccountAnnotations', kind: 'ServiceAccount', path: 'metadata.annotations' },
] as const;

/**
 * Carries values of Istio's chart `istiod`, whose keys of istiod are below `pilot`, as IstioOperator and Sail have them.
 * Revision, profile and namespace must have been taken out. What is not known here goes to `spec.values`, where the schema
 * decides about it.
 */
export function carryChartValues(values: SettingSource, draft: Draft, context: ChartContext): void {
  const { mesh, ledger } = draft;
  for (const [path, reason] of idle) ledger.preset(values.take(...path.split('.')), reason);
  carryTelemetry(values, draft);
  carryTracing(values, draft, context);
  carryAuthority(values, draft);
  carryVariables(values, draft, context);
  carryAutoscaling(values, draft);
  carryDisruptionBudget(values, draft);
  for (const [from, to] of moved) mesh.carry(['spec', ...to.split('.')], values.take(...from.split('.')));
  mesh.append(['spec', 'revisionTags'], itemsOf(values.take('revisionTags'), ledger));
  mesh.append([...pilot, 'env'], itemsOf(values.take('pilot', 'envVarFrom'), ledger));
  carryObjectFields(values, draft, `istiod${revisionSuffix(context.revision)}`);
  for (const [field, tree] of values.takeRest()) {
    mesh.carry(field === '' ? ['spec', 'values'] : ['spec', 'values', field], tree);
  }
}

/** Values without nulls, which take defaults of the chart away: that is not possible here, but in the mesh configuration. */
export function loseNulls(tree: SettingTree | undefined, draft: Draft): SettingTree | undefined {
  if (tree?.kind !== 'object') return tree;
  for (const [key, inner] of [...tree.fields]) {
    if (key === 'meshConfig' && inner.kind !== 'leaf') continue;
    if (inner.kind === 'leaf' && inner.value === null) {
      draft.ledger.lose(
        inner,
        'takes a default of the chart away, which is not possible here: set what you want instead',
      );
      tree.fields.delete(key);
    } else if (loseNulls(inner, draft)?.kind === 'object' && isBare(inner)) tree.fields.delete(key);
  }
  return tree;
}

function isBare(tree: SettingTree): boolean {
  return tree.kind === 'object' && tree.fields.size === 0;
}

/** Has values that cannot be carried taken for presets when they are the chart's defaults; `root` is where values begin. */
export function knowChartDefaults({ ledger }: Draft, document: number, root: Path): void {
  ledger.knowDefaults(({ document: own, path, value }) => {
    if (own !== document || root.some((key, index) => path[index] !== key)) return false;
    const below = path.slice(root.length);
    return isChartDefault(below, value) || isChartDefault(['pilot', ...below], value);
  });
}

/** Which metrics proxies report: a switch of the chart, which turns a provider off. */
function carryTelemetry(values: SettingSource, { mesh, ledger }: Draft): void {
  const switches = [
    ['telemetry', 'enabled'],
    ['telemetry', 'v2', 'enabled'],
    ['telemetry', 'v2', 'prometheus', 'enabled'],
  ];
  const off = switches.filter((path) => values.peek(...path) === false);
  const settings = off.flatMap((path) => {
    const tree = values.take(...path);
    return tree === undefined ? [] : settingsOf(tree);
  });
  if (settings.length === 0) return;
  const has =
    values.peek('meshConfig', 'defaultProviders') ?? mesh.peek('spec', 'meshConfig', 'defaultProviders');
  if (has === undefined) mesh.give(['spec', 'meshConfig', 'defaultProviders', 'metrics'], [], settings);
  else ledger.preset(given(false, settings), 'counts only without meshConfig.defaultProviders');
}

const tracers: Readonly<Record<string, string>> = {
  zipkin: 'zipkin',
  datadog: 'datadog',
  lightstep: 'lightstep',
  stackdriver: 'stackdriver',
};

/** Where traces go: values that the chart writes into the mesh configuration. */
function carryTracing(values: SettingSource, { mesh, ledger }: Draft, { namespace }: ChartContext): void {
  const name = values.peekText('global', 'proxy', 'tracer');
  const tracer = name === undefined ? undefined : tracers[name];
  if (tracer === undefined) {
    ledger.preset(values.take('global', 'tracer'), 'counts only with global.proxy.tracer');
    return;
  }
  const place = ['spec', 'meshConfig', 'defaultConfig', 'tracing', tracer];
  const own = withoutEmpty(values.take('global', 'tracer', tracer), ledger);
  mesh.carry(place, own);
  ledger.preset(values.take('global', 'tracer'), `counts only with another tracer than ${tracer}`);
  // The injector reads the name of this one as well.
  const named = tracer === 'datadog' ? undefined : values.take('global', 'proxy', 'tracer');
  const settings = named === undefined ? [] : settingsOf(named);
  const addresses: Readonly<Record<string, string>> = {
    zipkin: `zipkin.${namespace}:9411`,
    datadog: '$(HOST_IP):8126',
  };
  const address = addresses[tracer];
  if (isRecord(mesh.peek(...place)) && mesh.peek(...place, 'address') !== undefined) {
    mesh.carry(place, given({}, settings));
  } else if (address !== undefined) mesh.give([...place, 'address'], address, settings);
  else mesh.carry(place, given({}, settings));
}

/** An istiod that does not sign leaves that to the address it is given. */
function carryAuthority(values: SettingSource, { mesh }: Draft): void {
  const signs = values.peek('pilot', 'env', 'ENABLE_CA_SERVER');
  const address = values.peekText('global', 'caAddress');
  if (address === undefined || String(signs) !== 'false') return;
  const variable = values.take('pilot', 'env', 'ENABLE_CA_SERVER');
  const settings = variable === undefined ? [] : settingsOf(variable);
  mesh.give(['spec', 'certificateAuthority', 'provider'], 'External', settings);
  mesh.carry(['spec', 'certificateAuthority', 'external', 'address'], values.take('global', 'caAddress'));
}

/** Values that the chart makes variables and arguments of istiod of. */
function carryVariables(values: SettingSource, { mesh, ledger }: Draft, { namespace }: ChartContext): void {
  const env = ['spec', 'values', 'pilot', 'env'];
  const give = (name: string, value: string, tree: SettingTree | undefined) => {
    // A variable that is set by its name wins in the chart as well.
    if (values.peek('pilot', 'env', name) !== undefined) {
      ledger.preset(tree, `counts only without pilot.env.${name}`);
    } else if (tree !== undefined) mesh.give([...env, name], value, settingsOf(tree));
  };
  if (values.peek('global', 'istiod', 'enableAnalysis') === true) {
    give('PILOT_ENABLE_ANALYSIS', 'true', values.take('global', 'istiod', 'enableAnalysis'));
  }
  const taintName = values.take('pilot', 'taint', 'name');
  if (values.peek('pilot', 'taint', 'enabled') === true) {
    give('PILOT_ENABLE_NODE_UNTAINT_CONTROLLERS', 'true', values.take('pilot', 'taint', 'enabled'));
    const taint = taintName ?? given('cni.istio.io/not-ready');
    give('PILOT_NODE_UNTAINT_CONTROLLERS_TAINT_NAME', String(jsonOf(taint)), taint);
  } else ledger.preset(taintName, 'counts only with taint.enabled');
  const cniNamespace = values.peekText('pilot', 'taint', 'namespace');
  const taintNamespace = values.take('pilot', 'taint', 'namespace');
  if (cniNamespace === undefined) ledger.preset(taintNamespace, 'says nothing');
  else {
    const argument = given(
      `--cniNamespace=${cniNamespace}`,
      taintNamespace === undefined ? [] : settingsOf(taintNamespace),
    );
    const others = itemsOf(values.take('pilot', 'extraContainerArgs'), ledger);
    mesh.append(['spec', 'values', 'pilot', 'extraContainerArgs'], [argument, ...others]);
  }
  const ztunnel = [
    values.peekText('pilot', 'trustedZtunnelNamespace') ?? namespace,
    values.peekText('pilot', 'trustedZtunnelName') ?? 'ztunnel',
  ].join('/');
  for (const key of ['trustedZtunnelNamespace', 'trustedZtunnelName']) {
    const tree = values.take('pilot', key);
    if (ztunnel === `${namespace}/ztunnel`) ledger.preset(tree, 'is the case anyway');
    else give('CA_TRUSTED_NODE_ACCOUNTS', ztunnel, tree);
  }
}

/** How fast istiod is scaled; an autoscaler that is turned off must not come back by it. */
function carryAutoscaling(values: SettingSource, { mesh, ledger }: Draft): void {
  const behavior = values.take('pilot', 'autoscaleBehavior');
  if (behavior === undefined) return;
  if (isEmptyTree(behavior) || values.peek('pilot', 'autoscaleEnabled') === false) {
    ledger.preset(behavior, 'counts only with an autoscaler');
  } else mesh.carry([...pilot, 'hpaSpec', 'behavior'], behavior);
}

/** A budget that is asked for here is always there; the chart has none for a single pod, where it would block drains. */
function carryDisruptionBudget(values: SettingSource, { mesh, ledger }: Draft): void {
  const budget = values.take('pdb');
  const count = values.peek('pilot', 'autoscaleEnabled') === false ? 'replicaCount' : 'autoscaleMin';
  const hasSeveral = Number(values.peek('pilot', count) ?? 1) > 1;
  if (hasSeveral) mesh.carry([...pilot, 'podDisruptionBudget'], withoutEmpty(budget, ledger));
  else ledger.preset(budget, 'counts only with several pods');
}

function withoutEmpty(tree: SettingTree | undefined, ledger: Ledger): SettingTree | undefined {
  if (tree?.kind !== 'object') return tree;
  for (const [key, inner] of [...tree.fields]) {
    if (!isEmptyTree(inner)) continue;
    ledger.preset(inner, 'says nothing');
    tree.fields.delete(key);
  }
  return tree;
}

function carryObjectFields(values: SettingSource, { mesh, ledger }: Draft, name: string): void {
  const fields = patched.flatMap(({ from, kind, path }) => {
    const value = values.take(...from.split('.'));
    if (value === undefined || !isEmptyTree(value)) return value === undefined ? [] : [{ kind, path, value }];
    ledger.preset(value, 'says nothing');
    return [];
  });
  const texts = labelled.flatMap(({ from, kind, path }) =>
    patchesOf(path, values.take(...from.split('.')), ledger).map((patch) => ({ kind, ...patch })),
  );
  for (const kind of ['Deployment', 'ServiceAccount'] as const) {
    const patches = [...fields, ...texts].filter((patch) => patch.kind === kind);
    if (patches.length > 0) mesh.append(overlays, [overlayTree(kind, name, patches)]);
  }
}
