import { meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import type { Json } from '../api/resolved-mesh.ts';
import { TerminalError } from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';
import type { ConvertedMesh, FindProblems, HelmSource, Loss, SourceDocument } from './conversion.ts';
import type { Draft } from './draft.ts';
import { carryHelmValues } from './helm-values.ts';
import { carryIstioOperator } from './istio-operator.ts';
import { Ledger } from './ledger.ts';
import { carryServiceMeshControlPlane } from './maistra.ts';
import { carryName } from './metadata.ts';
import { reportOn } from './report.ts';
import { carrySailComponent, carrySailIstio, carrySailRevision, carrySailTag } from './sail.ts';
import { given, type Setting, type SettingTree, settingsOf, treeOf } from './setting-tree.ts';
import { settle } from './settle.ts';
import { type ChartName, type SourceName, sailGroup } from './source-names.ts';
import { TreeBuilder } from './tree-builder.ts';

export interface ConvertOptions {
  /** Undefined: what each document says itself, which Helm values do not. */
  readonly from?: SourceName | undefined;
  /** Of Helm values: the chart; undefined for the one that they look like. */
  readonly chart?: ChartName | undefined;
  /** Of Helm values of a gateway: the release, by whose name it goes. Default: `istio-ingressgateway`. */
  readonly release?: string | undefined;
  /** Of the mesh, for documents that do not say it. Default: `mesh` and `istio-system`. */
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly findProblems: FindProblems;
}

/** What carries one kind of document. */
interface Carrier {
  readonly source: SourceName;
  /** `mesh`: each document makes one. `part`: it is a part of the first of its file, or of one of its own. */
  readonly makes: 'mesh' | 'part';
  readonly carry: (document: number, tree: SettingTree, draft: Draft) => void;
}

const carriers: readonly (Carrier & { readonly group: RegExp; readonly kind: string })[] = [
  kind('istio-operator', 'mesh', /^install\.istio\.io\//, 'IstioOperator', carryIstioOperator),
  kind('sail', 'mesh', sailGroup, 'Istio', carrySailIstio),
  kind('sail', 'mesh', sailGroup, 'IstioRevision', carrySailRevision),
  kind('sail', 'part', sailGroup, 'IstioCNI', carrySailComponent),
  kind('sail', 'part', sailGroup, 'ZTunnel', carrySailComponent),
  kind('sail', 'part', sailGroup, 'IstioRevisionTag', carrySailTag),
  kind('maistra', 'mesh', /^maistra\.io\/v2$/, 'ServiceMeshControlPlane', carryServiceMeshControlPlane),
];

function kind(
  source: SourceName,
  makes: Carrier['makes'],
  group: RegExp,
  name: string,
  carry: Carrier['carry'],
): Carrier & { readonly group: RegExp; readonly kind: string } {
  return { source, makes, group, kind: name, carry };
}

/** A document with what carries it. */
interface Part {
  readonly position: number;
  readonly carrier: Carrier;
}

/**
 * Makes MeshOperators of the documents of one file. Each is valid in any case, and each setting of the documents is in it, or
 * says what is the case anyway, or is named as a loss. Pure; the documents stay as they are.
 * Throws TerminalError when there is nothing to convert, or it does not say what it is.
 */
export function convertDocuments(files: readonly SourceDocument[], options: ConvertOptions): ConvertedMesh[] {
  const documents = files
    .flatMap(expandList)
    .map((document) => ({ ...document, value: asJson(document.source, document.value) }));
  const parts: Part[] = [];
  const strangers: number[] = [];
  for (const [position, { value, helm }] of documents.entries()) {
    const carrier = helm === undefined ? carrierOf(value, options) : helmCarrier(helm);
    if (carrier === undefined) strangers.push(position);
    else parts.push({ position, carrier });
  }
  if (parts.length === 0) throw new TerminalError(nothingFound(documents), { reason: 'NothingToConvert' });
  const meshes = groupParts(parts).map((group, index) =>
    convertGroup(documents, group, index === 0 ? strangers : [], options),
  );
  return meshes.map((mesh, index) => ({ ...mesh, losses: [...mesh.losses, ...rivalries(meshes, index)] }));
}

function carrierOf(value: Json, { from, chart, release }: ConvertOptions): Carrier | undefined {
  if (!isRecord(value)) return undefined;
  if (from === 'helm-values') {
    return helmCarrier({ chart, release: release ?? 'istio-ingressgateway' });
  }
  return carriers.find(
    ({ source, group, kind: name }) =>
      (from === undefined || from === source) &&
      name === value.kind &&
      typeof value.apiVersion === 'string' &&
      group.test(value.apiVersion),
  );
}

function helmCarrier(helm: HelmSource): Carrier {
  return {
    source: 'helm-values',
    makes: 'part',
    carry: (document, tree, draft) => carryHelmValues(document, tree, draft, helm),
  };
}

/** Parts join the first mesh of the file; without one they make up a mesh of their own. */
function groupParts(parts: readonly Part[]): Part[][] {
  const meshes = parts.filter(({ carrier }) => carrier.makes === 'mesh');
  const rest = parts.filter(({ carrier }) => carrier.makes === 'part');
  const [first, ...others] = meshes;
  if (first === undefined) return [rest];
  return [[first, ...rest], ...others.map((part) => [part])];
}

interface Converted extends ConvertedMesh {
  readonly source: string;
}

function convertGroup(
  documents: readonly { readonly source: string; readonly value: Json }[],
  group: readonly Part[],
  strangers: readonly number[],
  options: ConvertOptions,
): Converted {
  const ledger = new Ledger();
  const mesh = new TreeBuilder(ledger);
  mesh.give(['apiVersion'], meshOperatorApiVersion);
  mesh.give(['kind'], meshOperatorKind);
  mesh.give(['metadata'], { name: 'mesh', namespace: 'istio-system' });
  mesh.give(['spec'], {});
  const draft: Draft = { mesh, ledger };
  if (options.name !== undefined) carryName(['metadata', 'name'], given(options.name), draft);
  if (options.namespace !== undefined) carryName(['metadata', 'namespace'], given(options.namespace), draft);

  const settings: Setting[] = [];
  const open = (position: number): SettingTree => {
    const tree = treeOf(position, documents[position]?.value ?? null);
    settings.push(...settingsOf(tree));
    return tree;
  };
  for (const { position, carrier } of group) carrier.carry(position, open(position), draft);
  for (const position of strangers)
    ledger.loseDocument(open(position), 'is nothing that can be converted: keep it as it is');
  const result = settle(mesh.root, ledger, options.findProblems);
  loseUnmentioned(settings, mesh, ledger);
  return {
    source: documents[group[0]?.position ?? 0]?.source ?? '',
    mesh: result,
    ...reportOn(documents, settings, ledger, mesh.root),
  };
}

/** What nobody has looked at is lost, and named. */
function loseUnmentioned(settings: readonly Setting[], mesh: TreeBuilder, ledger: Ledger): void {
  const carried = new Set(settingsOf(mesh.root));
  for (const setting of settings) {
    if (!carried.has(setting)) ledger.loseSetting(setting, 'has no counterpart here');
  }
}

/** Two meshes of one revision cannot be in one cluster. */
function rivalries(meshes: readonly Converted[], index: number): Loss[] {
  const own = meshes[index];
  const first = meshes.slice(0, index).find((other) => revisionOf(other) === (own && revisionOf(own)));
  if (own === undefined || first === undefined) return [];
  const reason = `has the revision of ${first.source}, which one mesh of a cluster can have: put its components into that one`;
  return [{ source: own.source, path: '', reason }];
}

function revisionOf({ mesh }: ConvertedMesh): string {
  const revision = isRecord(mesh.spec) ? mesh.spec.revision : undefined;
  return typeof revision === 'string' ? revision : '';
}

/** The items of a List of Kubernetes, as kubectl prints several objects. */
function expandList(document: SourceDocument): SourceDocument[] {
  const { source, value } = document;
  if (!isRecord(value) || !Array.isArray(value.items) || !String(value.kind).endsWith('List'))
    return [document];
  return value.items.map((item: unknown, index) => ({ source: `${source}.items[${index}]`, value: item }));
}

/** Far above any configuration of a mesh, and shallow enough for every recursive walk. */
const bounds = { depth: 100, nodes: 100_000 };

/** A copy that holds nothing but JSON. Throws TerminalError when it is too deep or too large to be worked on. */
function asJson(source: string, value: unknown): Json {
  let nodes = 0;
  const copy = (inner: unknown, depth: number): Json => {
    nodes += 1;
    // A shared part, which YAML has aliases for, counts as often as it is met.
    if (nodes > bounds.nodes || depth > bounds.depth) {
      const most = `${bounds.nodes} values and ${bounds.depth} levels`;
      throw new TerminalError(`${source} is too large: there must not be more than ${most}`, {
        reason: 'TooLarge',
      });
    }
    if (Array.isArray(inner)) return inner.map((item) => copy(item, depth + 1));
    if (isRecord(inner)) {
      return Object.fromEntries(Object.entries(inner).map(([key, part]) => [key, copy(part, depth + 1)]));
    }
    if (typeof inner === 'number') return Number.isFinite(inner) ? inner : String(inner);
    return typeof inner === 'string' || typeof inner === 'boolean' ? inner : null;
  };
  return copy(value, 0);
}

function nothingFound(documents: readonly SourceDocument[]): string {
  const known = [...new Set(carriers.map(({ kind: name }) => name))].join(', ');
  const found = documents.map(({ value }) =>
    isRecord(value) ? `${String(value.apiVersion)} ${String(value.kind)}` : 'no object',
  );
  const isUntyped = documents.some(({ value }) => isRecord(value) && value.kind === undefined);
  const advice = isUntyped ? '; for Helm values give --from helm-values' : '';
  return `there is nothing to convert: known are ${known}, found was ${found.join(', ') || 'nothing'}${advice}`;
}
