import { loadAll } from 'js-yaml';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { istioVersions } from '../../src/api/versions.ts';
import { byName } from '../support/chart-differences.ts';
import { factDifferences, objectFacts } from '../support/object-facts.ts';
import { readScenario, renderScenario } from './render-scenario.ts';

const [newest, ...older] = istioVersions;

/** The older minors that a scenario is rendered for: all of them, unless it names a version or a tag itself. */
export async function olderMinorsOf(name: string): Promise<string[]> {
  const { spec } = await readScenario(name);
  return spec?.version === undefined && spec?.tag === undefined ? older.map(({ minor }) => minor) : [];
}

/**
 * What an older minor of Istio gets otherwise than the newest, a line for each fact of each object: `newest -> older`,
 * and `nothing` for the one that does not say it. Two ways of writing one thing are the same.
 */
export async function minorDifferences(name: string, minor: string): Promise<string> {
  const [ours, theirs] = [
    objectsOf(await renderScenario(name)),
    objectsOf(await renderScenario(name, minor)),
  ];
  const lines = [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((object) => {
    const [newer, other] = [ours.get(object), theirs.get(object)];
    if (newer === undefined) return [`${object}: only in ${minor}`];
    if (other === undefined) return [`${object}: only in ${newest.minor}`];
    return factDifferences(objectFacts(newer), objectFacts(other)).map((fact) => `${object}: ${fact}`);
  });
  return lines.map((line) => `${line}\n`).join('');
}

function objectsOf(text: string): Map<string, KubernetesObject> {
  return byName(loadAll(text).filter((document) => document !== null) as KubernetesObject[]);
}
