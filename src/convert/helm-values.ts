import { TerminalError } from '../base/errors.ts';
import { carryChartValues, knowChartDefaults, loseNulls } from './chart-values.ts';
import { carryChartProfile, carryRevision, carryTag } from './control-plane.ts';
import type { HelmSource } from './conversion.ts';
import type { Draft } from './draft.ts';
import { carryGatewayChart } from './gateway-chart.ts';
import { carryName } from './metadata.ts';
import { SettingSource } from './setting-source.ts';
import { given, jsonOf, type SettingTree, settingsOf } from './setting-tree.ts';
import { type ChartName, chartNames } from './source-names.ts';
import { TreeBuilder } from './tree-builder.ts';
import { carryWholeImages } from './whole-images.ts';

/** Keys by which values of a chart are told from those of the others. */
const telltales: Readonly<Record<ChartName, readonly string[]>> = {
  base: ['base', 'defaultRevision'],
  istiod: [
    ...['pilot', 'meshConfig', 'sidecarInjectorWebhook', 'telemetry', 'istiodRemote', 'revisionTags', 'pdb'],
    ...[
      'autoscaleEnabled',
      'autoscaleMin',
      'autoscaleMax',
      'traceSampling',
      'rollingMaxSurge',
      'experimental',
    ],
    ...['rollingMaxUnavailable', 'keepaliveMaxServerConnectionAge', 'extraContainerArgs', 'gatewayClasses'],
    ...['jwksResolverExtraRootCA', 'configMap', 'taint', 'trustedZtunnelNamespace', 'compatibilityVersion'],
  ],
  gateway: [
    ...[
      'service',
      'autoscaling',
      'rbac',
      'serviceAccount',
      'containerSecurityContext',
      'networkGateway',
      'kind',
    ],
    ...['podDisruptionBudget', 'networkGatewayPorts', 'minReadySeconds', 'additionalContainers', 'labels'],
  ],
  cni: [
    ...[
      'cni',
      'cniBinDir',
      'cniConfDir',
      'cniConfFileName',
      'cniNetnsDir',
      'excludeNamespaces',
      'chained',
      'repair',
    ],
    ...['istioOwnedCNIConfig', 'ambient', 'daemonSetLabels'],
  ],
  ztunnel: ['ztunnel', 'xdsAddress', 'resourceName', 'peerCaCrl', 'istioNamespace'],
};

/** Values of the chart `istiod` that are not those of istiod alone. */
const chartWide = [
  ...[
    'global',
    'meshConfig',
    'sidecarInjectorWebhook',
    'istiodRemote',
    'telemetry',
    'revision',
    'revisionTags',
  ],
  ...[
    'ownerName',
    'experimental',
    'base',
    'gateways',
    'gatewayClasses',
    'pdb',
    'profile',
    'platform',
    'pilot',
  ],
  ...['compatibilityVersion', 'defaultRevision', '_internal_defaults_do_not_set', '_original', 'enabled'],
];

/** Carries values of one of Istio's charts. Throws TerminalError when they could be those of several. */
export function carryHelmValues(
  document: number,
  tree: SettingTree,
  draft: Draft,
  context: HelmSource,
): void {
  const { mesh, ledger } = draft;
  knowChartDefaults(draft, document, []);
  const values = new SettingSource(loseNulls(tree, draft));
  ledger.preset(values.take('_internal_defaults_do_not_set'), 'are the defaults of the chart');
  ledger.preset(values.take('_original'), 'is a copy of what was set');
  ledger.preset(values.take('enabled'), 'is read by the chart that has this one as a part');
  const chart = context.chart ?? detectChart(values);
  if (mesh.peek('spec', 'profile') === undefined) mesh.give(['spec', 'profile'], 'empty');
  switch (chart) {
    case 'gateway':
      carryGatewayChart(values, draft, context);
      break;
    case 'cni':
    case 'ztunnel':
      carryComponentChart(chart, values, draft);
      break;
    case 'base':
      carryControlPlane(values, draft, mesh.peek('spec', 'profile') === 'empty' ? 'base' : undefined);
      break;
    default:
      carryControlPlane(values, draft, 'istiod');
  }
}

function detectChart(values: SettingSource): ChartName {
  const keys = values.keys();
  const hits = chartNames.map((chart) => ({
    chart,
    count: telltales[chart].filter((key) => keys.includes(key)).length,
  }));
  const most = Math.max(...hits.map(({ count }) => count));
  const likely = hits.filter(({ count }) => count === most).map(({ chart }) => chart);
  const [chart] = likely;
  if (most > 0 && likely.length === 1 && chart !== undefined) return chart;
  // Settings of all components and nothing else: the control plane is what they are for.
  if (keys.every((key) => ['global', 'revision', 'profile', 'platform'].includes(key))) return 'istiod';
  throw new TerminalError(
    `these values could be those of the charts ${likely.join(', ')}: say which by --chart`,
    { reason: 'UnknownChart' },
  );
}

/** Values of the charts `istiod` and `base`; `part` is what the profile must turn on for them. */
function carryControlPlane(values: SettingSource, draft: Draft, part: 'istiod' | 'base' | undefined): void {
  const { mesh, ledger } = draft;
  const path = ['metadata', 'namespace'] as const;
  carryName(path, values.take('global', 'istioNamespace'), draft);
  const profiles = new TreeBuilder(ledger);
  for (const tree of [values.take('global', 'profile'), values.take('profile')])
    profiles.carry(['profile'], tree);
  const profile = profiles.root.fields.get('profile');
  if (part === 'istiod') carryChartProfile(profile, draft);
  else {
    ledger.preset(profile, 'counts with the values of istiod');
    if (part === 'base') mesh.give(['spec', 'components', 'base', 'enabled'], true);
  }
  carryRevision(values.take('global', 'revision'), draft);
  const revision = carryRevision(values.take('revision'), draft);
  carryDefaultRevision(values.take('defaultRevision'), revision, draft);
  carryWholeImages(values, draft);
  mesh.carry(['spec', 'hub'], values.take('global', 'hub'));
  carryTag(values.take('global', 'tag'), draft);
  const namespace = String(mesh.peek(...path));
  carryChartValues(withPilot(values, draft), draft, { namespace, revision });
}

/** Every value of istiod below `pilot`, which wins over the same one beside it. */
function withPilot(values: SettingSource, { ledger }: Draft): SettingSource {
  const builder = new TreeBuilder(ledger);
  const pilot = values.take('pilot');
  for (const [key, tree] of values.takeRest()) {
    builder.carry(key === '' || chartWide.includes(key) ? [key] : ['pilot', key], tree);
  }
  builder.carry(['pilot'], pilot);
  return new SettingSource(builder.root);
}

/** Who validates objects that name no revision, and gets pods that name none. */
function carryDefaultRevision(
  tree: SettingTree | undefined,
  revision: string,
  { mesh, ledger }: Draft,
): void {
  if (tree === undefined) return;
  const name = jsonOf(tree);
  if (name === '' || (name === 'default' && revision === '')) {
    ledger.preset(tree, 'is the case anyway');
  } else if (name === revision) mesh.append(['spec', 'revisionTags'], [given('default', settingsOf(tree))]);
  else
    ledger.lose(tree, 'names another revision: add "default" to spec.revisionTags of the mesh that it means');
}

/** Values of a component with a chart of its own. */
function carryComponentChart(chart: 'cni' | 'ztunnel', values: SettingSource, { mesh, ledger }: Draft): void {
  mesh.carryUnder(['spec', 'values', 'global'], values.take('global'));
  for (const key of ['revision', 'profile']) {
    ledger.preset(values.take(key), 'counts with the values of istiod');
  }
  const builder = new TreeBuilder(ledger);
  const own = values.take(chart);
  for (const [key, tree] of values.takeRest()) builder.carry([key], tree);
  builder.carry([chart], own);
  const nested = builder.root.fields.get(chart);
  builder.root.fields.delete(chart);
  const merged = new TreeBuilder(ledger);
  for (const [key, tree] of builder.root.fields) merged.carry([chart, key], tree);
  merged.carry([chart], nested);
  const component = merged.root.fields.get(chart);
  // Whoever has values of the chart has installed it.
  mesh.give(
    ['spec', 'components', chart, 'enabled'],
    true,
    component === undefined ? [] : settingsOf(component),
  );
  mesh.carry(['spec', 'values', chart], component);
}
