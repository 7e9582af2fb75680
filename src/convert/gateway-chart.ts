import type { Json } from '../api/resolved-mesh.ts';
import { carryRevision } from './control-plane.ts';
import type { HelmSource } from './conversion.ts';
import {
  type Draft,
  fieldsOf,
  isEmptyTree,
  itemsOf,
  loseUnlessEmpty,
  overlayTree,
  patchesOf,
  variablesOf,
} from './draft.ts';
import { type AutoscalingKeys, carryGatewayScaling } from './gateway-scaling.ts';
import type { SettingSource } from './setting-source.ts';
import { given, jsonOf, listTree, objectTree, partAt, type SettingTree } from './setting-tree.ts';
import { TreeBuilder } from './tree-builder.ts';

const scaling: AutoscalingKeys = {
  enabled: ['autoscaling', 'enabled'],
  min: ['autoscaling', 'minReplicas'],
  max: ['autoscaling', 'maxReplicas'],
  cpu: ['autoscaling', 'targetCPUUtilizationPercentage'],
  memory: ['autoscaling', 'targetMemoryUtilizationPercentage'],
  behavior: ['autoscaling', 'autoscaleBehavior'],
};

/** Values that are a setting of a gateway under the same or another name. */
const moved: readonly (readonly [from: string, to: string])[] = [
  ['securityContext', 'securityContext'],
  ['resources', 'resources'],
  ['strategy', 'strategy'],
  ['readinessProbe', 'readinessProbe'],
  ['nodeSelector', 'nodeSelector'],
  ['tolerations', 'tolerations'],
  ['topologySpreadConstraints', 'topologySpreadConstraints'],
  ['affinity', 'affinity'],
  ['imagePullPolicy', 'imagePullPolicy'],
  ['priorityClassName', 'priorityClassName'],
  ['volumes', 'volumes'],
  ['volumeMounts', 'volumeMounts'],
];

/** Values that are fields of the Deployment. */
const patched: readonly (readonly [from: string, path: string, usual: Json])[] = [
  ['minReadySeconds', 'spec.minReadySeconds', 0],
  ['terminationGracePeriodSeconds', 'spec.template.spec.terminationGracePeriodSeconds', 30],
  ['dnsPolicy', 'spec.template.spec.dnsPolicy', ''],
  ['dnsConfig', 'spec.template.spec.dnsConfig', {}],
  ['initContainers', 'spec.template.spec.initContainers', []],
  ['lifecycle', 'spec.template.spec.containers.[name:istio-proxy].lifecycle', {}],
];

/** Values that ask for what is not here, and those that say what is the case anyway. */
const special: readonly {
  readonly path: string;
  readonly usual: readonly Json[];
  readonly reason: string;
}[] = [
  { path: 'kind', usual: ['Deployment'], reason: 'is not possible: a gateway is a Deployment' },
  {
    path: 'rbac.enabled',
    usual: [true],
    reason: 'is not possible: a gateway may always read its certificates',
  },
  {
    path: 'serviceAccount.create',
    usual: [true],
    reason: 'is not possible: a gateway has a ServiceAccount of its own',
  },
  {
    path: 'containerSecurityContext',
    usual: [],
    reason:
      'is not possible: the container follows the restricted level of Pod Security; use an overlay of the Deployment in k8s.overlays',
  },
  {
    path: 'global.networkPolicy.enabled',
    usual: [false],
    reason: 'is not a setting of one gateway: use spec.networkPolicy of the mesh',
  },
];

/** Annotations that the chart gives every pod for the injector and for Prometheus. */
const usualAnnotations: Readonly<Record<string, string>> = {
  'inject.istio.io/templates': 'gateway',
  'sidecar.istio.io/inject': 'true',
  'prometheus.io/port': '15020',
  'prometheus.io/scrape': 'true',
  'prometheus.io/path': '/stats/prometheus',
};

/** Carries values of the chart `gateway`: one gateway of the mesh. */
export function carryGatewayChart(
  values: SettingSource,
  draft: Draft,
  { release, namespace }: HelmSource,
): void {
  const { mesh, ledger } = draft;
  const gateway = new TreeBuilder(ledger);
  const name = values.peekText('name') ?? release;
  const written = values.take('name');
  if (written === undefined || isEmptyTree(written)) {
    ledger.preset(written, 'says nothing');
    gateway.give(['name'], name);
  } else gateway.carry(['name'], written);
  if (namespace !== undefined) gateway.give(['namespace'], namespace);
  carryRevision(values.take('revision'), draft);
  for (const item of itemsOf(values.take('imagePullSecrets'), ledger)) {
    mesh.append(['spec', 'imagePullSecrets'], [partAt(item, ['name']) ?? item]);
  }
  carryLabels(values, gateway, draft);
  carryNetwork(values, gateway, draft);
  carryService(values, gateway, draft);
  carryBudget(values, gateway, draft);
  carryGatewayScaling(values, scaling, gateway, draft);
  for (const [from, to] of moved) {
    const part = values.take(from);
    if (part !== undefined && isEmptyTree(part)) ledger.preset(part, 'says nothing');
    else gateway.carry(['k8s', to], part);
  }
  for (const [key, value] of fieldsOf(values.take('podAnnotations'), ledger)) {
    if (usualAnnotations[key] === jsonOf(value)) ledger.preset(value, 'is the case anyway');
    else gateway.carry(['k8s', 'podAnnotations', key], value);
  }
  gateway.append(['k8s', 'env'], variablesOf(values.take('env'), ledger));
  gateway.append(['k8s', 'env'], itemsOf(values.take('envVarFrom'), ledger));
  gateway.append(['k8s', 'overlays'], overlaysOf(values, name, draft));
  for (const { path, usual, reason } of special) {
    const part = values.take(...path.split('.'));
    if (part !== undefined && (isEmptyTree(part) || usual.includes(jsonOf(part)))) {
      ledger.preset(part, 'is the case anyway');
    } else ledger.lose(part, reason);
  }
  loseAccountName(values, name, draft);
  const list = gateway.peek('network') === undefined ? 'ingressGateways' : 'eastWestGateways';
  mesh.append(['spec', 'components', list], [gateway.root]);
  mesh.carryUnder(['spec', 'values', 'global'], values.take('global'));
  for (const [, rest] of values.takeRest()) loseUnlessEmpty(rest, 'is no value of this chart', ledger);
}

function carryLabels(values: SettingSource, gateway: TreeBuilder, { ledger }: Draft): void {
  for (const [key, value] of fieldsOf(values.take('labels'), ledger)) {
    if (key === 'istio.io/dataplane-mode') ledger.preset(value, 'is the case anyway');
    else gateway.carry(['label', key], value);
  }
}

/** A gateway between networks; its ports are usual ones unless they are named. */
function carryNetwork(values: SettingSource, gateway: TreeBuilder, { ledger }: Draft): void {
  const network = values.take('networkGateway');
  const ports = values.take('networkGatewayPorts');
  if (network === undefined || isEmptyTree(network)) {
    ledger.preset(network, 'says nothing');
    ledger.preset(ports, 'counts only with networkGateway');
    return;
  }
  gateway.carry(['network'], network);
  const list = fieldsOf(ports, ledger).map(([name, port]) =>
    port.kind === 'object' ? objectTree({ name: given(name), ...Object.fromEntries(port.fields) }) : port,
  );
  if (list.length > 0) gateway.carry(['k8s', 'service', 'ports'], listTree(list));
  ledger.preset(values.take('service', 'ports'), 'counts only without networkGateway');
}

function carryService(values: SettingSource, gateway: TreeBuilder, { ledger }: Draft): void {
  gateway.carry(['k8s', 'serviceAnnotations'], unlessEmpty(values.take('service', 'annotations'), ledger));
  const selector = values.take('service', 'selectorLabels');
  const type = values.peek('service', 'type');
  if (type === 'None') {
    ledger.lose(
      values.take('service', 'type'),
      'is not possible: a gateway always has its Service; use type ClusterIP',
    );
  }
  for (const [field, part] of fieldsOf(values.take('service'), ledger)) {
    gateway.carry(['k8s', 'service', field], unlessEmpty(part, ledger));
  }
  loseUnlessEmpty(
    selector,
    'is not possible: a Service selects the labels app and istio; use an overlay of the Service in k8s.overlays',
    ledger,
  );
}

/** The chart makes a budget only for several pods; here one that is asked for is always there. */
function carryBudget(values: SettingSource, gateway: TreeBuilder, { ledger }: Draft): void {
  const budget = values.take('podDisruptionBudget');
  const isScaled = values.peek('autoscaling', 'enabled') !== false;
  const least = Number(
    (isScaled ? values.peek('autoscaling', 'minReplicas') : values.peek('replicaCount')) ?? 1,
  );
  if (least > 1) gateway.carry(['k8s', 'podDisruptionBudget'], unlessEmpty(budget, ledger));
  else ledger.preset(budget, 'counts only with several pods');
}

function unlessEmpty(tree: SettingTree | undefined, ledger: Draft['ledger']): SettingTree | undefined {
  if (tree === undefined || !isEmptyTree(tree)) return tree;
  ledger.preset(tree, 'says nothing');
  return undefined;
}

function overlaysOf(values: SettingSource, name: string, { ledger }: Draft): SettingTree[] {
  const annotations = values.take('annotations');
  const account = patchesOf('metadata.annotations', values.take('serviceAccount', 'annotations'), ledger);
  const containers = itemsOf(values.take('additionalContainers'), ledger);
  const deployment = [
    ...patchesOf('metadata.annotations', annotations, ledger),
    ...patched.flatMap(([from, path, usual]) => {
      const value = values.take(from);
      if (value === undefined) return [];
      if (!isEmptyTree(value) && jsonOf(value) !== usual) return [{ path, value }];
      ledger.preset(value, 'is the case anyway');
      return [];
    }),
    ...containers.map((value) => ({ path: 'spec.template.spec.containers.[-1]', value })),
  ];
  const service = patchesOf('metadata.annotations', annotations, ledger);
  return [
    ...(deployment.length === 0 ? [] : [overlayTree('Deployment', name, deployment)]),
    ...(service.length === 0 ? [] : [overlayTree('Service', name, service)]),
    ...(account.length === 0 ? [] : [overlayTree('ServiceAccount', `${name}-service-account`, account)]),
  ];
}

/** The account is called after the gateway, as istioctl has it: its name is in the identity of the gateway. */
function loseAccountName(values: SettingSource, name: string, { ledger }: Draft): void {
  const account = values.take('serviceAccount', 'name');
  if (account === undefined) return;
  if (isEmptyTree(account) || jsonOf(account) === `${name}-service-account`) {
    ledger.preset(account, 'is the case anyway');
  } else {
    ledger.lose(
      account,
      `is not possible: the ServiceAccount is ${name}-service-account; name that in policies that allow the gateway by its identity`,
    );
  }
}
