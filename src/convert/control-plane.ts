import { revisionRule } from '../api/mesh-operator-spec.ts';
import { type ProfileName, profiles } from '../api/profiles.ts';
import { resolveVersion, supportedVersionsText } from '../api/resolve-version.ts';
import { choicesAt, fieldsAt } from '../api/validation/schema-field.ts';
import { istioVersions } from '../api/versions.ts';
import { type Draft, isEmptyTree } from './draft.ts';
import { jsonOf, type SettingTree, settingsOf } from './setting-tree.ts';

/** Carries the name of a control plane; gives it back, empty for the default one. */
export function carryRevision(tree: SettingTree | undefined, { mesh, ledger }: Draft): string {
  if (tree === undefined) return String(mesh.peek('spec', 'revision') ?? '');
  const revision = jsonOf(tree);
  if (revision === 'default' || isEmptyTree(tree)) {
    ledger.preset(tree, 'is the case without a revision');
    return String(mesh.peek('spec', 'revision') ?? '');
  }
  const { pattern, maxLength, message } = revisionRule;
  if (typeof revision !== 'string' || revision.length > maxLength || !pattern.test(revision)) {
    ledger.lose(tree, message);
    return '';
  }
  mesh.carry(['spec', 'revision'], tree);
  return revision;
}

/** Carries the tag of the images, and the minor version of Istio that it names unless there is one already. */
export function carryTag(tree: SettingTree | undefined, draft: Draft): void {
  if (tree === undefined) return;
  const tag = String(jsonOf(tree));
  const minor = /^v?([0-9]+\.[0-9]+)([.-].*)?$/.exec(tag)?.[1];
  if (isEmptyTree(tree)) {
    draft.ledger.preset(tree, 'says nothing');
  } else if (
    minor === undefined ||
    draft.mesh.peek('spec', 'version') !== undefined ||
    carryVersion(minor, tree, draft)
  ) {
    draft.mesh.carry(['spec', 'tag'], tree);
  }
}

/** Carries a version of Istio; false for one that is not supported, which is named. */
export function carryVersion(version: string, tree: SettingTree, { mesh, ledger }: Draft): boolean {
  if (resolveVersion(version) === undefined) {
    const instead = String(mesh.peek('spec', 'version') ?? istioVersions[0].patch);
    const reason = `is not supported: the mesh gets ${instead}; supported are ${supportedVersionsText()}; upgrade Istio to one of them first`;
    ledger.lose(tree, reason);
    return false;
  }
  mesh.give(['spec', 'version'], version, settingsOf(tree));
  return true;
}

/** What stands in for a profile that is not here: the one that installs the same components, as far as they are. */
const nearestProfiles: Readonly<Record<string, string>> = {
  'openshift-ambient': 'ambient',
  external: 'remote',
};

/**
 * Carries a profile of istioctl, which speaks of components as well; gives back the one that counts. Another one takes
 * the place of a profile that is not here.
 */
export function carryProfile(tree: SettingTree | undefined, { mesh, ledger }: Draft): string {
  if (tree === undefined) return 'default';
  if (isEmptyTree(tree)) {
    ledger.preset(tree, 'is the case without a profile');
    return 'default';
  }
  const name = String(jsonOf(tree));
  if (isKnown(name)) {
    mesh.carry(['spec', 'profile'], tree);
    return name;
  }
  const nearest = nearestProfiles[name] ?? 'default';
  mesh.give(['spec', 'profile'], nearest);
  ledger.lose(tree, `is not supported: the mesh has profile ${nearest}; set what else ${name} stands for`);
  return nearest;
}

/**
 * Carries a profile of Istio's charts, which sets values and installs nothing else: no gateways, no other components but
 * those that are named.
 */
export function carryChartProfile(tree: SettingTree | undefined, { mesh, ledger }: Draft): void {
  const name = tree === undefined || isEmptyTree(tree) ? 'default' : String(jsonOf(tree));
  const isPlain = ['default', 'minimal', 'empty'].includes(name);
  const settings = tree === undefined ? [] : settingsOf(tree);
  if (isPlain || !isKnown(name)) {
    const plain = nearestProfiles[name] === 'empty' ? 'empty' : 'minimal';
    mesh.give(['spec', 'profile'], plain, isPlain ? settings : []);
    if (isPlain) return;
    ledger.lose(tree, `is not supported: the mesh has profile ${plain}; set what else ${name} stands for`);
    return;
  }
  mesh.carry(['spec', 'profile'], tree);
  for (const component of fieldsAt(['spec', 'components'])) {
    const path = ['spec', 'components', component];
    if (['base', 'pilot'].includes(component) || mesh.peek(...path) !== undefined) continue;
    if (component.endsWith('Gateways')) mesh.give(path, []);
    else if (hasComponent(name, component)) mesh.give(path, { enabled: false });
  }
}

/** Whether a profile turns a component on. */
function hasComponent(profile: string, component: string): boolean {
  const known: Readonly<Record<string, unknown>> = { ...profiles[profile as ProfileName] };
  return known[component] === true;
}

function isKnown(profile: string): boolean {
  return choicesAt(['spec', 'profile'])?.includes(profile) === true;
}
