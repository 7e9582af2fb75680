import { type Draft, fieldsOf, isEmptyTree, itemsOf, loseUnlessEmpty, variablesOf } from './draft.ts';
import { SettingSource } from './setting-source.ts';
import {
  given,
  jsonOf,
  listTree,
  objectTree,
  type Path,
  partAt,
  type SettingTree,
  settingsOf,
} from './setting-tree.ts';
import { TreeBuilder } from './tree-builder.ts';

/** Settings of a workload that `k8s` has under another name. */
const moves: readonly (readonly [from: string, to: string])[] = [
  ['deployment.strategy', 'strategy'],
  ['pod.metadata.annotations', 'podAnnotations'],
  ['pod.nodeSelector', 'nodeSelector'],
  ['pod.tolerations', 'tolerations'],
  ['pod.priorityClassName', 'priorityClassName'],
  ['container.resources', 'resources'],
  ['container.imagePullPolicy', 'imagePullPolicy'],
];

/** Carries deployment, pod and container of a component into its `k8s`. */
export function carryMaistraWorkload(
  source: SettingSource,
  k8s: Path,
  builder: TreeBuilder,
  draft: Draft,
): void {
  const { ledger } = draft;
  for (const [from, to] of moves) builder.carry([...k8s, to], source.take(...from.split('.')));
  carryScaling(source, k8s, builder, draft);
  builder.append([...k8s, 'env'], variablesOf(source.take('container', 'env'), ledger));
  carryAffinity(source.within('pod', 'affinity'), [...k8s, 'affinity'], builder, draft);
  ledger.lose(
    source.take('pod', 'metadata', 'labels'),
    'is not carried: labels of a gateway are set in its label, those of istiod in spec.values.pilot.podLabels',
  );
  for (const field of ['imageName', 'imageTag', 'imageRegistry']) {
    ledger.lose(source.take('container', field), 'names an image of Maistra; the mesh has those of Istio');
  }
  for (const [, rest] of source.takeRest()) loseUnlessEmpty(rest, 'has no counterpart here', ledger);
}

function carryScaling(source: SettingSource, k8s: Path, builder: TreeBuilder, { ledger }: Draft): void {
  const scaling = source.within('deployment', 'autoScaling');
  const replicas = source.take('deployment', 'replicas');
  if (scaling.peek('enabled') !== true) {
    builder.carry([...k8s, 'replicaCount'], replicas);
    for (const [, rest] of scaling.takeRest()) ledger.preset(rest, 'counts only with autoScaling.enabled');
    return;
  }
  ledger.preset(replicas, 'counts only without autoScaling');
  const hpaSpec = [...k8s, 'hpaSpec'];
  const enabled = scaling.take('enabled');
  const least = scaling.take('minReplicas') ?? given(1);
  builder.carry([...hpaSpec, 'minReplicas'], least);
  const switched = enabled === undefined ? [] : settingsOf(enabled);
  // The autoscaler is there when there is anything to say of it.
  if (least.kind === 'leaf') {
    builder.give([...hpaSpec, 'minReplicas'], least.value, [...least.settings, ...switched]);
  }
  builder.carry([...hpaSpec, 'maxReplicas'], scaling.take('maxReplicas'));
  const utilization = scaling.take('targetCPUUtilizationPercentage');
  if (utilization !== undefined) {
    const target = objectTree({ type: given('Utilization'), averageUtilization: utilization });
    const resource = objectTree({ name: given('cpu'), target });
    builder.carry([...hpaSpec, 'metrics'], listTree([objectTree({ type: given('Resource'), resource })]));
  }
  for (const [, rest] of scaling.takeRest()) loseUnlessEmpty(rest, 'has no counterpart here', ledger);
}

const antiAffinity = [
  {
    from: 'requiredDuringScheduling',
    to: 'requiredDuringSchedulingIgnoredDuringExecution',
    isWeighted: false,
  },
  {
    from: 'preferredDuringScheduling',
    to: 'preferredDuringSchedulingIgnoredDuringExecution',
    isWeighted: true,
  },
] as const;

/** Affinity as Maistra writes it: the node's as in Kubernetes, terms against other pods in a form of its own. */
function carryAffinity(affinity: SettingSource, path: Path, builder: TreeBuilder, { ledger }: Draft): void {
  for (const { from, to, isWeighted } of antiAffinity) {
    const terms = itemsOf(affinity.take('podAntiAffinity', from), ledger).map((item) => {
      const requirement = objectTree({
        key: partAt(item, ['key']),
        operator: partAt(item, ['operator']),
        values: partAt(item, ['values']),
      });
      const term = objectTree({
        labelSelector: objectTree({ matchExpressions: listTree([requirement]) }),
        topologyKey: partAt(item, ['topologyKey']) ?? given('kubernetes.io/hostname'),
      });
      return isWeighted ? objectTree({ weight: given(100), podAffinityTerm: term }) : term;
    });
    if (terms.length > 0) builder.carry([...path, 'podAntiAffinity', to], listTree(terms));
  }
  for (const [field, rest] of affinity.takeRest()) {
    if (field === 'podAntiAffinity') loseUnlessEmpty(rest, 'has no counterpart here', ledger);
    else builder.carry([...path, field], rest);
  }
}

/** A gateway of Maistra as one of the mesh. */
export function maistraGateway(name: string, tree: SettingTree | undefined, draft: Draft): SettingTree {
  const { ledger } = draft;
  const gateway = new TreeBuilder(ledger);
  gateway.give(['name'], name);
  const source = new SettingSource(tree);
  gateway.carry(['enabled'], source.take('enabled'));
  gateway.carry(['namespace'], source.take('namespace'));
  const service = source.within('service');
  gateway.carry(['k8s', 'serviceAnnotations'], service.take('metadata', 'annotations'));
  gateway.carry(['label'], service.take('metadata', 'labels'));
  gateway.carry(['label'], source.take('runtime', 'pod', 'metadata', 'labels'));
  ledger.preset(service.take('selector'), 'is set by the operator');
  for (const [field, rest] of service.takeRest()) {
    if (!isEmptyTree(rest)) gateway.carry(['k8s', 'service', ...(field === '' ? [] : [field])], rest);
    else ledger.preset(rest, 'says nothing');
  }
  carryMaistraWorkload(source.within('runtime'), ['k8s'], gateway, draft);
  carryVolumes(source, gateway, draft);
  carryNetworkView(source, gateway, draft);
  loseGatewayExtras(source, draft);
  for (const [, rest] of source.takeRest()) loseUnlessEmpty(rest, 'has no counterpart here', ledger);
  return gateway.root;
}

function carryVolumes(source: SettingSource, gateway: TreeBuilder, { ledger }: Draft): void {
  for (const item of itemsOf(source.take('volumes'), ledger)) {
    const mount = partAt(item, ['volumeMount']);
    const name = partAt(mount, ['name']);
    if (mount === undefined || name === undefined) {
      ledger.lose(item, 'must have a volumeMount with a name');
      continue;
    }
    const from = Object.fromEntries(fieldsOf(partAt(item, ['volume']), ledger));
    gateway.append(['k8s', 'volumes'], [objectTree({ name: given(jsonOf(name)), ...from })]);
    gateway.append(['k8s', 'volumeMounts'], [mount]);
  }
}

function carryNetworkView(source: SettingSource, gateway: TreeBuilder, { ledger }: Draft): void {
  const view = source.take('requestedNetworkView');
  const networks = itemsOf(view, ledger).map(jsonOf);
  if (view === undefined || networks.length === 0) return;
  const value = given(networks.join(','), settingsOf(view));
  gateway.append(['k8s', 'env'], [objectTree({ name: given('ISTIO_META_REQUESTED_NETWORK_VIEW'), value })]);
}

const extras = [
  {
    path: 'sds.enabled',
    usual: [true],
    reason: 'is not possible: certificates always come by credentialName',
  },
  { path: 'sds', usual: [], reason: 'is not possible: certificates always come by credentialName' },
  {
    path: 'ingress',
    usual: [false],
    reason: 'is not carried: set spec.meshConfig.ingressControllerMode and ingressService',
  },
  {
    path: 'routerMode',
    usual: ['standard'],
    reason: 'is not carried: set env ISTIO_META_ROUTER_MODE in k8s.env',
  },
  { path: 'routeConfig.enabled', usual: [false], reason: 'is not possible: create the Routes that you need' },
  { path: 'routeConfig', usual: [], reason: 'is not possible: create the Routes that you need' },
  {
    path: 'meshExpansionPorts',
    usual: [],
    reason: 'is not carried: add them to k8s.service.ports of the gateway',
  },
];

function loseGatewayExtras(source: SettingSource, { ledger }: Draft): void {
  for (const { path, usual, reason } of extras) {
    const tree = source.take(...path.split('.'));
    if (tree === undefined) continue;
    if ((usual as unknown[]).includes(jsonOf(tree))) ledger.preset(tree, 'is the case anyway');
    else loseUnlessEmpty(tree, reason, ledger);
  }
}
