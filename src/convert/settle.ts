import { type Problem, pathText, problemText } from '../api/problem.ts';
import type { Json, JsonObject } from '../api/resolved-mesh.ts';
import { scalarTypeAt } from '../api/validation/schema-field.ts';
import type { FindProblems } from './conversion.ts';
import type { Ledger } from './ledger.ts';
import { partOf, removePart, type Way, wayText, wayToFault } from './prune.ts';
import { inSchemaOrder } from './schema-order.ts';
import {
  commonPath,
  jsonOf,
  type ObjectTree,
  type Path,
  partsOf,
  type Setting,
  type SettingTree,
  settingsOf,
} from './setting-tree.ts';

/**
 * Makes a tree a valid MeshOperator: takes out what is complained about, names it in the ledger, and asks again. Each pass
 * takes something out, so it comes to an end. Throws when a mesh is complained about for no part of its spec.
 */
export function settle(root: ObjectTree, ledger: Ledger, findProblems: FindProblems): JsonObject {
  retype(root, [], ledger);
  for (;;) {
    const mesh = jsonOf(root) as JsonObject;
    const problems = findProblems(mesh);
    if (problems.length === 0) return inSchemaOrder(mesh, []) as JsonObject;
    // All ways are found before anything goes: the indexes of lists are those that the problems name.
    const faults = problems.flatMap((problem) => {
      const way = problem.path.startsWith('spec') ? wayToFault(root, problem.path) : undefined;
      return way === undefined ? [] : [{ problem, way }];
    });
    if (faults.length === 0) {
      throw new Error(`No part of the spec is at fault: ${problems.map(problemText).join('; ')}`);
    }
    for (const { problem, way } of faults) lose(partOf(way), way, problem, ledger);
    for (const { way } of faults) removePart(way);
  }
}

/** Names every setting of a part: as one block of its document, where it has kept its form. */
function lose(part: SettingTree, way: Way, problem: Problem, ledger: Ledger): void {
  const common = commonPath(settingsOf(part));
  const name = (tree: SettingTree, depth: number) => {
    for (const setting of tree.settings) {
      const isAlike = isNamedAlike(pathText(setting.path), wayText(way));
      const block = isAlike ? setting.path.slice(0, setting.path.length - depth) : common;
      // One step is too wide for a name: most of a document is below it.
      const isWide = !isAlike && block.length < 2;
      ledger.loseSetting(setting, lossReason(setting, way, problem), isWide ? setting.path : block);
    }
    for (const inner of partsOf(tree)) name(inner, depth + 1);
  };
  name(part, 0);
}

function lossReason(setting: Setting, way: Way, { path, ...problem }: Problem): string {
  const said = problemText({ ...problem, path: '' });
  const isBare = /^is not a field( \(.*\))?$/.test(said);
  const what = `${said}${isBare ? ': remove it, or look for what has its effect now' : adviceFor(path)}`;
  const part = wayText(way);
  if (path.startsWith(part) && path !== part) {
    return `goes as a whole, since its ${path.slice(part.length).replace(/^\./, '')} ${what}`;
  }
  return `${isNamedAlike(pathText(setting.path), path) ? '' : `belongs in ${path}, which `}${what}`;
}

/** Whether a setting is in the mesh where it was before, but for what is around it. */
function isNamedAlike(own: string, path: string): boolean {
  return ['', 'spec.', 'spec.values.'].some(
    (around) => path.startsWith(around) && own.startsWith(path.slice(around.length)),
  );
}

/** What to do about a component that cannot be had. */
const componentAdvice: Readonly<Record<string, string>> = {
  egressGateways: 'list it in spec.components.ingressGateways with service.type ClusterIP',
  eastWestGateways: 'list it in spec.components.ingressGateways with the ports that it needs',
};

function adviceFor(path: string): string {
  const component = /^spec\.components\.([A-Za-z]+)$/.exec(path)?.[1];
  const isKnown = component !== undefined && Object.hasOwn(componentAdvice, component);
  const advice = isKnown ? componentAdvice[component] : undefined;
  return advice === undefined ? '' : `: ${advice}`;
}

/** Has scalars be of the type that their field wants, as Helm and YAML write them, and nulls be gone, which say nothing. */
function retype(tree: SettingTree, path: Path, ledger: Ledger): SettingTree | undefined {
  switch (tree.kind) {
    case 'list':
      for (const [index, item] of tree.items.entries()) {
        tree.items[index] = retype(item, [...path, index], ledger) ?? item;
      }
      return tree;
    case 'object':
      for (const [key, inner] of [...tree.fields]) {
        const typed = retype(inner, [...path, key], ledger);
        if (typed === undefined) tree.fields.delete(key);
        else tree.fields.set(key, typed);
      }
      return tree;
    default:
      // There, a null takes something away.
      if (tree.value === null && !path.some((key) => key === 'meshConfig' || key === 'overlays')) {
        ledger.preset(tree, 'says nothing');
        return undefined;
      }
      return { ...tree, value: asWanted(tree.value, path) };
  }
}

function asWanted(value: Json, path: Path): Json {
  const wanted = scalarTypeAt(path);
  if (wanted === 'text' && (typeof value === 'number' || typeof value === 'boolean')) return String(value);
  if (wanted === 'number' && typeof value === 'string' && /^-?[0-9]+(\.[0-9]+)?$/.test(value))
    return Number(value);
  return value;
}
