import { carryChartValues, knowChartDefaults, loseNulls } from './chart-values.ts';
import { carryChartProfile, carryRevision, carryTag, carryVersion } from './control-plane.ts';
import { type Draft, loseUnlessEmpty } from './draft.ts';
import { carryMetadata, carryName } from './metadata.ts';
import { SettingSource } from './setting-source.ts';
import { given, jsonOf, type SettingTree } from './setting-tree.ts';
import { TreeBuilder } from './tree-builder.ts';
import { carryWholeImages } from './whole-images.ts';

const versions = 'Istio versions that the operator of Sail knows begin with v, such as v1.31.1';

/** Carries an Istio of the operator of Sail (`sailoperator.io/v1`): one control plane, without gateways. */
export function carrySailIstio(document: number, tree: SettingTree, draft: Draft): void {
  const source = takeEnvelope(tree, draft);
  const spec = source.within('spec');
  const name = source.peekText('metadata', 'name') ?? 'default';
  carryName(['metadata', 'namespace'], spec.take('namespace'), draft);
  carryMetadata(source.within('metadata'), draft);
  const version = spec.peekText('version');
  carrySailVersion(spec.take('version'), draft);
  const revision = carryUpdates(spec, name, version, draft);
  carrySailValues(document, spec, draft, { revision, profile: spec.take('profile') });
  loseRest(spec, source, draft);
}

/** Carries an IstioRevision: one control plane, as an Istio has made it. */
export function carrySailRevision(document: number, tree: SettingTree, draft: Draft): void {
  const { mesh, ledger } = draft;
  const source = takeEnvelope(tree, draft);
  const spec = source.within('spec');
  carryName(['metadata', 'namespace'], spec.take('namespace'), draft);
  carryMetadata(source.within('metadata'), draft);
  const isRemote = spec.peek('type') === 'Remote';
  const type = spec.take('type');
  carrySailVersion(spec.take('version'), draft);
  const revision = carryRevision(spec.take('values', 'revision'), draft);
  carrySailValues(document, spec, draft, { revision, profile: spec.take('profile') });
  if (isRemote === (mesh.peek('spec', 'profile') === 'remote'))
    ledger.preset(type, 'is as the profile has it');
  else ledger.lose(type, 'is not carried: spec.profile remote is for an istiod in another cluster');
  loseRest(spec, source, draft);
}

/** The components that have an object of their own there, by its kind, and the values that are theirs. */
const components: Readonly<Record<string, string>> = { IstioCNI: 'cni', ZTunnel: 'ztunnel' };

/** Carries an IstioCNI or a ZTunnel into the mesh of its file: a component of it. */
export function carrySailComponent(document: number, tree: SettingTree, draft: Draft): void {
  const { mesh, ledger } = draft;
  const source = new SettingSource(tree);
  const kind = source.take('kind');
  const component = components[String(kind === undefined ? '' : jsonOf(kind))] ?? '';
  const place = ['spec', 'components', component];
  ledger.preset(source.take('apiVersion'), 'names what is converted');
  ledger.preset(source.take('status'), 'tells what was the case');
  ledger.preset(source.take('metadata'), 'names an object of which there is one');
  ledger.preset(kind, 'names what is converted');
  mesh.give([...place, 'enabled'], true);
  if (mesh.peek('spec', 'profile') === undefined) mesh.give(['spec', 'profile'], 'empty');
  const spec = source.within('spec');
  mesh.carry([...place, 'namespace'], spec.take('namespace'));
  carryComponentVersion(spec.take('version'), draft);
  const profile = spec.take('profile');
  if (profile !== undefined && jsonOf(profile) === mesh.peek('spec', 'profile')) {
    ledger.preset(profile, 'is that of the mesh');
  } else loseUnlessPlain(profile, draft);
  knowChartDefaults(draft, document, ['spec', 'values']);
  const values = new SettingSource(loseNulls(spec.take('values'), draft));
  mesh.carryUnder(['spec', 'values', 'global'], values.take('global'));
  for (const [field, rest] of values.takeRest()) mesh.carry(['spec', 'values', field], rest);
  loseRest(spec, source, draft);
}

/** Carries an IstioRevisionTag into the mesh of its file that it points to: a further name of it. */
export function carrySailTag(_document: number, tree: SettingTree, draft: Draft): void {
  const { mesh, ledger } = draft;
  const source = takeEnvelope(tree, draft);
  const target = source.peekText('spec', 'targetRef', 'name');
  const isOurs =
    target === mesh.peek('metadata', 'name') || target === (mesh.peek('spec', 'revision') ?? 'default');
  const name = source.take('metadata', 'name');
  const reference = source.take('spec', 'targetRef');
  if (isOurs && name !== undefined) {
    mesh.append(['spec', 'revisionTags'], [name]);
    ledger.preset(reference, 'is the mesh that has it');
  } else {
    const reason =
      'points to no control plane of this file: add its name to spec.revisionTags of the mesh that it means';
    ledger.lose(name, reason);
    ledger.lose(reference, reason);
  }
  ledger.preset(source.take('metadata'), 'belongs to the object in its cluster');
  loseRest(source.within('spec'), source, draft);
}

function takeEnvelope(tree: SettingTree, { ledger }: Draft): SettingSource {
  const source = new SettingSource(tree);
  ledger.preset(source.take('apiVersion'), 'names what is converted');
  ledger.preset(source.take('kind'), 'names what is converted');
  ledger.preset(source.take('status'), 'tells what was the case');
  return source;
}

function loseRest(spec: SettingSource, source: SettingSource, { ledger }: Draft): void {
  for (const [, rest] of [...spec.takeRest(), ...source.takeRest()]) {
    loseUnlessEmpty(rest, 'has no counterpart here', ledger);
  }
}

function carrySailVersion(tree: SettingTree | undefined, draft: Draft): void {
  if (tree === undefined) return;
  const version = /^v([0-9]+\.[0-9]+(\.[0-9]+|-latest)?)$/.exec(String(jsonOf(tree)))?.[1];
  if (version === undefined) draft.ledger.lose(tree, `is no version that a mesh can have: ${versions}`);
  else carryVersion(version, tree, draft);
}

function carryComponentVersion(tree: SettingTree | undefined, draft: Draft): void {
  const { mesh, ledger } = draft;
  if (tree === undefined) return;
  const own = mesh.peek('spec', 'version');
  if (own === undefined) carrySailVersion(tree, draft);
  else if (`v${String(own)}` === jsonOf(tree)) ledger.preset(tree, 'is that of the mesh');
  else ledger.lose(tree, `is not that of the mesh, ${String(own)}, which counts for all components`);
}

function loseUnlessPlain(tree: SettingTree | undefined, { ledger }: Draft): void {
  if (tree === undefined) return;
  if (['', 'default'].includes(String(jsonOf(tree)))) ledger.preset(tree, 'is the case anyway');
  else ledger.lose(tree, 'is not carried: set spec.profile of the mesh');
}

/**
 * How versions follow each other; gives back the revision. With `RevisionBased` each version has a revision of its own, by
 * the name of the version as it is asked for: an alias such as `v1.31-latest` has one, too.
 */
function carryUpdates(spec: SettingSource, name: string, version: string | undefined, draft: Draft): string {
  const { ledger } = draft;
  const type = spec.peekText('updateStrategy', 'type') ?? 'InPlace';
  const tree = spec.take('updateStrategy', 'type');
  const isRevisionBased = type === 'RevisionBased';
  const suffix = isRevisionBased && version !== undefined ? `-${version.replaceAll('.', '-')}` : '';
  const revision = carryRevision(given(`${name}${suffix}`), draft);
  if (!isRevisionBased) ledger.preset(tree, 'is the case anyway');
  const way = `is not carried, so that the revision stays that which pods follow, ${revision === '' ? 'the default one' : revision}: to have one for each version, move namespaces to a new MeshOperator with spec.upgrade.strategy RevisionBased`;
  ledger.lose(tree, way);
  for (const field of ['inactiveRevisionDeletionGracePeriodSeconds', 'updateWorkloads']) {
    const part = spec.take('updateStrategy', field);
    if (isRevisionBased) ledger.lose(part, way);
    else ledger.preset(part, 'counts only with RevisionBased');
  }
  loseUnlessEmpty(spec.take('updateStrategy'), 'has no counterpart here', ledger);
  return revision;
}

interface SailContext {
  readonly revision: string;
  readonly profile: SettingTree | undefined;
}

function carrySailValues(
  document: number,
  spec: SettingSource,
  draft: Draft,
  { revision, profile }: SailContext,
): void {
  const { mesh, ledger } = draft;
  knowChartDefaults(draft, document, ['spec', 'values']);
  const values = new SettingSource(loseNulls(spec.take('values'), draft));
  const namespace = String(mesh.peek('metadata', 'namespace'));
  const profiles = new TreeBuilder(ledger);
  for (const tree of [values.take('global', 'profile'), values.take('profile'), profile]) {
    profiles.carry(['profile'], tree);
  }
  carryChartProfile(profiles.root.fields.get('profile'), draft);
  for (const path of [['revision'], ['global', 'revision']]) {
    ledger.preset(values.take(...path), 'is set by the operator of Sail');
  }
  loseOtherNamespace(values.take('global', 'istioNamespace'), namespace, draft);
  carryWholeImages(values, draft);
  mesh.carry(['spec', 'hub'], values.take('global', 'hub'));
  carryTag(values.take('global', 'tag'), draft);
  carryChartValues(values, draft, { namespace, revision });
}

/** The namespace is that of the object, whatever values say. */
export function loseOtherNamespace(
  tree: SettingTree | undefined,
  namespace: string,
  { ledger }: Draft,
): void {
  if (tree === undefined) return;
  if (jsonOf(tree) === namespace) ledger.preset(tree, 'is the case anyway');
  else ledger.lose(tree, `has no effect: the mesh is in ${namespace}`);
}
