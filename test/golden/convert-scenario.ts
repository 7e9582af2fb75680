import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { type ConvertOptions, convert } from '../../src/cli/convert.ts';
import { findMeshProblems } from '../../src/cli/mesh-problems.ts';
import type { ConvertedMesh } from '../../src/convert/conversion.ts';
import { convertDocuments } from '../../src/convert/convert.ts';
import { type CliRun, runCli } from '../support/run-cli.ts';

/**
 * Holds one folder per scenario: `input.yaml`, what other tools install Istio by; `options.json`, flags of the verb, where
 * there are any; `mesh.yaml`, what it becomes; `lost.txt`, a line for each setting that is not in it; and `preset.txt`, one for
 * each that says what is the case anyway.
 */
export const convertScenarios = join(import.meta.dirname, 'convert');

/** Names of all scenario folders, sorted. */
export async function convertScenarioNames(): Promise<string[]> {
  const entries = await readdir(convertScenarios, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** What `mesh-operator convert -f -` prints for a scenario today. */
export async function convertScenario(name: string): Promise<CliRun> {
  const { input, options } = await readConvertScenario(name);
  return runCli((terminal) => convert({ filename: '-', ...options }, terminal), input);
}

/** The same scenario as the core gives it, with what became of each setting. */
export async function convertedScenario(name: string): Promise<readonly ConvertedMesh[]> {
  const { input, options } = await readConvertScenario(name);
  const documents = loadAll(input)
    .filter((value) => value !== null && value !== undefined)
    .map((value, index) => ({ source: `input[${index}]`, value }));
  return convertDocuments(documents, { ...options, findProblems: findMeshProblems });
}

/** A line for each setting of a scenario that says what is the case anyway. */
export async function presetLines(name: string): Promise<string> {
  const settings = (await convertedScenario(name)).flatMap((mesh) => mesh.settings);
  return settings
    .filter(({ outcome }) => outcome === 'preset')
    .map(({ source, path, reason }) => `${source}: ${path}: ${reason}\n`)
    .join('');
}

/** What a scenario gives to the verb. */
export async function readConvertScenario(
  name: string,
): Promise<{ readonly input: string; readonly options: Partial<ConvertOptions> }> {
  const folder = join(convertScenarios, name);
  const file = join(folder, 'options.json');
  return {
    input: await readFile(join(folder, 'input.yaml'), 'utf8'),
    options: existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Partial<ConvertOptions>) : {},
  };
}
