import { isRecord } from '../base/stable-json.ts';
import { carryChartValues, knowChartDefaults, loseNulls } from './chart-values.ts';
import { carryProfile, carryRevision, carryTag } from './control-plane.ts';
import { type Draft, itemsOf } from './draft.ts';
import { carryGatewayValues } from './gateway-values.ts';
import { adaptKubernetesSettings } from './kubernetes-settings.ts';
import { carryMetadata, carryName } from './metadata.ts';
import { SettingSource } from './setting-source.ts';
import { given, jsonOf, listTree, objectTree, partAt, type SettingTree } from './setting-tree.ts';
import { TreeBuilder } from './tree-builder.ts';

/** The gateways that values of istioctl's charts speak of, and the lists that these gateways are in. */
const chartGateways = [
  { values: 'istio-ingressgateway', list: 'ingressGateways' },
  { values: 'istio-egressgateway', list: 'egressGateways' },
] as const;

/** Profiles in which istioctl installs a gateway that no list names. */
const profilesWith: Readonly<Record<string, readonly string[]>> = {
  ingressGateways: ['default', 'demo'],
  egressGateways: ['demo'],
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
    const isInProfile = profilesWith[list]?.includes(profile) === true;
    const tree = components.take(list);
    const items = [...itemsOf(tree, ledger)];
    const hasNone = tree === undefined && (isInProfile || isSwitchedOn);
    const rest = shared.takeRest();
    const common = objectTree(Object.fromEntries(rest.filter(([field]) => field !== '')));
    if (hasNone && (rest.length > 0 || isSwitchedOn)) items.push(objectTree({ name: given(key) }));
    if (items.length > 0) {
      const gateways = items.map((item) =>
        gatewayOf(item, common, isSwitchedOn ? enabled : undefined, key, draft),
      );
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

function gatewayOf(
  item: SettingTree,
  common: SettingTree,
  enabled: SettingTree | undefined,
  usualName: string,
  draft: Draft,
): SettingTree {
  if (item.kind !== 'object') return item;
  const gateway = new TreeBuilder(draft.ledger);
  const source = new SettingSource(item);
  const settings = source.take('k8s');
  adaptKubernetesSettings(settings, draft);
  for (const [field, rest] of source.takeRest()) gateway.carry([field], rest);
  gateway.carry(['k8s'], settings);
  gateway.carry(['enabled'], enabled);
  const name = gateway.peek('name');
  if (name === undefined) gateway.give(['name'], usualName);
  if (gateway.peek('enabled') !== false) {
    carryGatewayValues(common, gateway, typeof name === 'string' ? name : usualName, draft);
  }
  return gateway.root;
}
