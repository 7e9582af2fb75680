import { nodeComponents } from '../api/node-components.ts';
import { type ProfileName, profiles } from '../api/profiles.ts';
import type { JsonObject } from '../api/resolved-mesh.ts';
import { isRecord } from '../base/stable-json.ts';
import { carryChartValues, knowChartDefaults, loseNulls } from './chart-values.ts';
import { carryProfile, carryRevision, carryTag } from './control-plane.ts';
import { type Draft, itemsOf } from './draft.ts';
import { carryGatewayValues } from './gateway-values.ts';
import { adaptKubernetesSettings } from './kubernetes-settings.ts';
import { carryMetadata, carryName } from './metadata.ts';
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
import { TreeBuilder } from './tree-builder.ts';

/** The gateways that values of istioctl's charts speak of, and the lists that these gateways are in. */
const chartGateways = [
  { values: 'istio-ingressgateway', list: 'ingressGateways' },
  { values: 'istio-egressgateway', list: 'egressGateways' },
] as const;

/** Resources of gateways of those charts, which those of other proxies do not change. */
const chartResources: JsonObject = {
  requests: { cpu: '100m', memory: '128Mi' },
  limits: { cpu: '2000m', memory: '1024Mi' },
};

/** Carries an IstioOperator (`install.istio.io/v1alpha1`) into a mesh, as `istioctl install` understands it. */
export function carryIstioOperator(document: number, tree: SettingTree, draft: Draft): void {
  const { mesh, ledger } = draft;
  const source = new SettingSource(tree);
  ledger.preset(source.take('apiVersion'), 'names what is converted');
  ledger.preset(source.take('kind'), 'names what is converted');
  ledger.preset(source.take('status'), 'tells what was the case');
  const spec = source.within('spec');
  const values = takeValues(document, spec, draft);
  placeMesh(source, spec, values, draft);
  carryMetadata(source.within('metadata'), draft);

  const profile = carryProfile(spec.take('profile'), draft);
  mesh.carry(['spec', 'hub'], spec.take('hub'));
  mesh.carry(['spec', 'hub'], values.take('global', 'hub'));
  const tags = new TreeBuilder(ledger);
  tags.carry(['tag'], spec.take('tag'));
  tags.carry(['tag'], values.take('global', 'tag'));
  carryTag(tags.root.fields.get('tag'), draft);
  carryRevision(spec.take('revision'), draft);
  carryRevision(values.take('global', 'revision'), draft);
  const revision = carryRevision(values.take('revision'), draft);
  ledger.preset(values.take('profile'), 'is a part of the profile');
  mesh.carry(['spec', 'meshConfig'], spec.take('meshConfig'));

  const namespace = String(mesh.peek('metadata', 'namespace'));
  const components = spec.within('components');
  const namesPilot = isRecord(components.peek('pilot'));
  carryPilot(components, namespace, draft);
  for (const name of nodeComponents) carryNodeComponent(name, components, draft);
  carryGateways(components, values, profile, draft);
  for (const [name, component] of components.takeRest()) {
    mesh.carry(name === '' ? ['spec', 'components'] : ['spec', 'components', name], component);
  }
  carryChartValues(values, draft, { namespace, revision });
  if (namesPilot) mesh.carryUnder(['spec', 'components', 'pilot'], given({}));
  // What only values say of istiod must not turn it on.
  else if (profile === 'empty' && mesh.peek('spec', 'components', 'pilot') !== undefined) {
    mesh.give(['spec', 'components', 'pilot', 'enabled'], false);
  }
  for (const [field, rest] of spec.takeRest()) mesh.carry(field === '' ? ['spec'] : ['spec', field], rest);
  for (const [, rest] of source.takeRest()) ledger.lose(rest, 'is no field of an IstioOperator');
}

/** The values, with those over them that istioctl does not check. */
function takeValues(document: number, spec: SettingSource, draft: Draft): SettingSource {
  const builder = new TreeBuilder(draft.ledger);
  for (const field of ['values', 'unvalidatedValues']) {
    knowChartDefaults(draft, document, ['spec', field]);
    builder.carry(['values'], spec.take(field));
  }
  const values = builder.root.fields.get('values');
  return new SettingSource(loseNulls(values, draft));
}

/** istioctl asks the values where to install, and nothing else. */
function placeMesh(source: SettingSource, spec: SettingSource, values: SettingSource, draft: Draft): void {
  const { mesh, ledger } = draft;
  const path = ['metadata', 'namespace'] as const;
  carryName(path, values.take('global', 'istioNamespace'), draft);
  const namespace = mesh.peek(...path);
  for (const tree of [source.take(...path), spec.take('namespace')]) {
    if (tree === undefined) continue;
    if (jsonOf(tree) === namespace) carryName(path, tree, draft);
    else {
      ledger.lose(
        tree,
        `has no effect: istioctl installs into values.global.istioNamespace, here ${String(namespace)}`,
      );
    }
  }
}

function carryPilot(components: SettingSource, namespace: string, draft: Draft): void {
  const { mesh, ledger } = draft;
  const pilot = components.within('pilot');
  if (pilot.peek('namespace') === namespace) ledger.preset(pilot.take('namespace'), 'is the case anyway');
  mesh.carry(['spec', 'values', 'pilot', 'hub'], pilot.take('hub'));
  mesh.carry(['spec', 'values', 'pilot', 'tag'], pilot.take('tag'));
  const settings = pilot.take('k8s');
  adaptKubernetesSettings(settings, draft);
  mesh.carry(['spec', 'components', 'pilot', 'k8s'], settings);
  for (const [field, rest] of pilot.takeRest()) {
    mesh.carry(['spec', 'components', 'pilot', ...(field === '' ? [] : [field])], rest);
  }
}

/** A component with a pod on every node; its image is set by values here. */
function carryNodeComponent(
  name: (typeof nodeComponents)[number],
  components: SettingSource,
  draft: Draft,
): void {
  const { mesh } = draft;
  const component = components.within(name);
  mesh.carry(['spec', 'values', name, 'hub'], component.take('hub'));
  mesh.carry(['spec', 'values', name, 'tag'], component.take('tag'));
  const settings = component.take('k8s');
  adaptKubernetesSettings(settings, draft);
  mesh.carry(['spec', 'components', name, 'k8s'], settings);
  for (const [field, rest] of component.takeRest()) {
    mesh.carry(['spec', 'components', name, ...(field === '' ? [] : [field])], rest);
  }
}

/** Gateways of the lists, with what values say of all of a kind below what each says itself. */
function carryGateways(
  components: SettingSource,
  values: SettingSource,
  profile: string,
  draft: Draft,
): void {
  const { mesh, ledger } = draft;
  for (const { values: key, list } of chartGateways) {
    const shared = new SettingSource(values.take('gateways', key));
    const isSwitchedOn = shared.peek('enabled') === true;
    const enabled = shared.take('enabled');
    const tree = components.take(list);
    const items = [...itemsOf(tree, ledger)];
    const rest = shared.takeRest();
    const common = objectTree(Object.fromEntries(rest.filter(([field]) => field !== '')));
    const hasOwnResources = values.peek('global', 'proxy', 'resources') !== undefined;
    const ofProfile = tree === undefined ? gatewayOfProfile(profile, list) : undefined;
    const isTouched = rest.length > 0 || isSwitchedOn || (hasOwnResources && profile === 'default');
    if (tree === undefined && isTouched && (ofProfile !== undefined || isSwitchedOn)) {
      items.push(objectTree({ name: given(key) }));
    }
    if (items.length > 0) {
      const context = {
        common,
        enabled: isSwitchedOn ? enabled : undefined,
        usualName: key,
        resources: hasOwnResources ? chartResources : undefined,
        ofProfile,
      };
      const gateways = items.map((item) => gatewayOf(item, context, draft));
      mesh.carry(['spec', 'components', list], listTree(gateways));
      if (gateways.every((gateway) => isOff(gateway))) {
        ledger.preset(common, `counts only with a gateway in components.${list}`);
      }
    } else {
      mesh.carry(['spec', 'components', list], tree === undefined ? undefined : emptyList(tree));
      ledger.preset(common, `counts only with a gateway in components.${list}`);
    }
    ledger.preset(enabled, 'counts only when it is true');
  }
}

/** A list without items replaces that of the profile, too. */
function emptyList(tree: SettingTree): SettingTree | undefined {
  return tree.kind === 'leaf' && Array.isArray(tree.value) ? tree : undefined;
}

function isOff(gateway: SettingTree): boolean {
  const enabled = partAt(gateway, ['enabled']);
  return enabled !== undefined && jsonOf(enabled) === false;
}

/** The gateway that a profile has when no list names one. */
function gatewayOfProfile(
  profile: string,
  list: (typeof chartGateways)[number]['list'],
): JsonObject | undefined {
  const gateways = Object.hasOwn(profiles, profile)
    ? profiles[profile as ProfileName].gateways[list]
    : undefined;
  return gateways?.[0] as JsonObject | undefined;
}

interface GatewayContext {
  /** What values say of every gateway of its kind. */
  readonly common: SettingTree;
  /** The value that turns all of them on. */
  readonly enabled: SettingTree | undefined;
  /** The name that the chart has for it. */
  readonly usualName: string;
  /** Those that it has in any case; undefined when they are the usual ones. */
  readonly resources: JsonObject | undefined;
  /** What the profile says of it. */
  readonly ofProfile: JsonObject | undefined;
}

function gatewayOf(item: SettingTree, context: GatewayContext, draft: Draft): SettingTree {
  if (item.kind !== 'object') return item;
  const { common, usualName } = context;
  const gateway = new TreeBuilder(draft.ledger);
  const source = new SettingSource(item);
  const settings = source.take('k8s');
  adaptKubernetesSettings(settings, draft);
  for (const [field, rest] of source.takeRest()) gateway.carry([field], rest);
  gateway.carry(['k8s'], settings);
  gateway.carry(['enabled'], context.enabled);
  if (gateway.peek('enabled') === false) return gateway.root;
  const nameTree = partAt(gateway.root, ['name']) ?? partAt(common, ['name']) ?? given(usualName);
  gateway.carryUnder(['name'], copyOf(nameTree));
  const name = String(jsonOf(nameTree));
  carryGatewayValues(common, gateway, name, draft);
  for (const [field, value] of Object.entries(context.ofProfile ?? {})) {
    if (field !== 'name') gateway.carryUnder([field], given(value));
  }
  if (context.resources !== undefined) gateway.carryUnder(['k8s', 'resources'], given(context.resources));
  // The charts give each gateway the labels of the one that they are called after.
  if (name !== usualName) {
    const usual = { app: usualName, istio: usualName.replace(/^istio-/, '') };
    for (const [label, value] of Object.entries(usual)) {
      if (gateway.peek('label', label) === undefined)
        gateway.give(['label', label], value, settingsOf(nameTree));
    }
  }
  return gateway.root;
}
