import {
  type Draft,
  isEmptyTree,
  itemsOf,
  loseUnlessEmpty,
  overlayTree,
  patchesOf,
  variablesOf,
} from './draft.ts';
import { type AutoscalingKeys, carryGatewayScaling } from './gateway-scaling.ts';
import { SettingSource } from './setting-source.ts';
import {
  copyOf,
  given,
  jsonOf,
  listTree,
  objectTree,
  partAt,
  type SettingTree,
  settingsOf,
} from './setting-tree.ts';
import type { TreeBuilder } from './tree-builder.ts';

/** Values of the charts that istioctl installs gateways by, which are fields of a gateway under another name. */
const moved: readonly (readonly [from: string, to: string])[] = [
  ['labels', 'label'],
  ['type', 'k8s.service.type'],
  ['ports', 'k8s.service.ports'],
  ['loadBalancerIP', 'k8s.service.loadBalancerIP'],
  ['loadBalancerSourceRanges', 'k8s.service.loadBalancerSourceRanges'],
  ['externalTrafficPolicy', 'k8s.service.externalTrafficPolicy'],
  ['ipFamilyPolicy', 'k8s.service.ipFamilyPolicy'],
  ['ipFamilies', 'k8s.service.ipFamilies'],
  ['serviceAnnotations', 'k8s.serviceAnnotations'],
  ['podAnnotations', 'k8s.podAnnotations'],
  ['resources', 'k8s.resources'],
  ['nodeSelector', 'k8s.nodeSelector'],
  ['tolerations', 'k8s.tolerations'],
  ['rollingMaxSurge', 'k8s.strategy.rollingUpdate.maxSurge'],
  ['rollingMaxUnavailable', 'k8s.strategy.rollingUpdate.maxUnavailable'],
];

const scaling: AutoscalingKeys = {
  enabled: ['autoscaleEnabled'],
  min: ['autoscaleMin'],
  max: ['autoscaleMax'],
  cpu: ['cpu', 'targetAverageUtilization'],
  memory: ['memory', 'targetAverageUtilization'],
  behavior: ['autoscaleBehavior'],
};

/** Values that ask for what is not here, and those that say what is the case anyway. */
const special: readonly {
  readonly key: string;
  readonly usual: readonly unknown[];
  readonly reason: string;
}[] = [
  { key: 'customService', usual: [false], reason: 'is not possible: a gateway always has its Service' },
  {
    key: 'runAsRoot',
    usual: [false],
    reason: 'is not possible: a gateway listens on any port without being root',
  },
  {
    key: 'injectionTemplate',
    usual: ['', 'gateway'],
    reason: 'is not possible: a gateway is made by the template gateway',
  },
];

/**
 * Carries `values.gateways.istio-ingressgateway`, or what is like it, into one gateway. What the gateway says itself wins,
 * as in IstioOperator. The tree stays as it is: it counts for every gateway.
 */
export function carryGatewayValues(
  tree: SettingTree,
  gateway: TreeBuilder,
  name: string,
  draft: Draft,
): void {
  const { ledger } = draft;
  const values = new SettingSource(copyOf(tree));
  gateway.carryUnder(['name'], values.take('name'));
  carryGatewayScaling(values, scaling, gateway, draft);
  for (const [from, to] of moved) {
    const part = values.take(from);
    if (part !== undefined && isEmptyTree(part)) ledger.preset(part, 'says nothing');
    else gateway.carryUnder(to.split('.'), part);
  }
  const ports = itemsOf(values.take('ingressPorts'), ledger);
  if (ports.length > 0) gateway.append(['k8s', 'service', 'ports'], ports);
  gateway.append(['k8s', 'env'], variablesOf(values.take('env'), ledger));
  carryMounts(values, gateway, draft);
  carryAntiAffinity(values, gateway, draft);
  const containers = itemsOf(values.take('additionalContainers'), ledger);
  const overlays = [
    ...containers.map((value) =>
      overlayTree('Deployment', name, [{ path: 'spec.template.spec.containers.[-1]', value }]),
    ),
    ...accountOverlays(values, name, draft),
  ];
  gateway.append(['k8s', 'overlays'], overlays);
  for (const { key, usual, reason } of special) {
    const part = values.take(key);
    if (part !== undefined && usual.includes(jsonOf(part))) ledger.preset(part, 'is the case anyway');
    else ledger.lose(part, reason);
  }
  for (const [field, rest] of values.takeRest()) {
    loseUnlessEmpty(rest, `is no value of this chart${field === '' ? ': it must be an object' : ''}`, ledger);
  }
}

function accountOverlays(values: SettingSource, name: string, { ledger }: Draft): SettingTree[] {
  const patches = patchesOf('metadata.annotations', values.take('serviceAccount', 'annotations'), ledger);
  return patches.length === 0 ? [] : [overlayTree('ServiceAccount', `${name}-service-account`, patches)];
}

/** The Secrets that charts mount for certificates of Istio 1.4; nobody has them unless they made them. */
const usualSecretVolumes = /^istio-(ingress|egress)gateway-(ca-)?certs$/;

/** Secrets and ConfigMaps that are mounted into the proxy, each a volume and a mount. */
function carryMounts(values: SettingSource, gateway: TreeBuilder, { ledger }: Draft): void {
  const kinds = [
    { list: 'secretVolumes', field: 'secretName', source: 'secret', named: 'secretName' },
    { list: 'configVolumes', field: 'configMapName', source: 'configMap', named: 'name' },
  ];
  for (const { list, field, source, named } of kinds) {
    for (const item of itemsOf(values.take(list), ledger)) {
      const [name, object, mountPath] = ['name', field, 'mountPath'].map((key) => partAt(item, [key]));
      if (object !== undefined && usualSecretVolumes.test(String(jsonOf(object)))) {
        ledger.preset(item, 'is mounted only if it is there, and credentialName does not need it');
        continue;
      }
      if (name === undefined || object === undefined || mountPath === undefined) {
        ledger.lose(item, `must have name, ${field} and mountPath`);
        continue;
      }
      const from = objectTree({ [named]: object, optional: given(true) });
      gateway.append(['k8s', 'volumes'], [objectTree({ name, [source]: from })]);
      const mount = { name: given(jsonOf(name)), mountPath, readOnly: given(true) };
      gateway.append(['k8s', 'volumeMounts'], [objectTree(mount)]);
    }
  }
}

/** Terms of anti-affinity as the charts write them: values and namespaces joined by commas. */
function carryAntiAffinity(values: SettingSource, gateway: TreeBuilder, { ledger }: Draft): void {
  const place = ['k8s', 'affinity', 'podAntiAffinity'];
  const required = itemsOf(values.take('podAntiAffinityLabelSelector'), ledger).map(affinityTerm);
  const preferred = itemsOf(values.take('podAntiAffinityTermLabelSelector'), ledger).map((item) =>
    objectTree({ weight: given(100), podAffinityTerm: affinityTerm(item) }),
  );
  if (required.length > 0) {
    gateway.carryUnder([...place, 'requiredDuringSchedulingIgnoredDuringExecution'], listTree(required));
  }
  if (preferred.length > 0) {
    gateway.carryUnder([...place, 'preferredDuringSchedulingIgnoredDuringExecution'], listTree(preferred));
  }
}

function affinityTerm(item: SettingTree): SettingTree {
  const listed = (key: string) => {
    const part = partAt(item, [key]);
    if (part === undefined || isEmptyTree(part)) return undefined;
    return given(String(jsonOf(part)).split(','), settingsOf(part));
  };
  const requirement = objectTree({
    key: partAt(item, ['key']),
    operator: partAt(item, ['operator']),
    values: listed('values'),
  });
  return objectTree({
    labelSelector: objectTree({ matchExpressions: listTree([requirement]) }),
    topologyKey: partAt(item, ['topologyKey']),
    namespaces: listed('namespaces'),
  });
}
