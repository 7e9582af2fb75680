import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import type { ResolvedMesh } from '../../src/api/resolved-mesh.ts';
import { manifestText } from '../../src/render/manifest-text.ts';
import { renderMesh } from '../../src/render/render-mesh.ts';

/** Holds one folder per scenario: `input.yaml`, a MeshOperator, and `expected.yaml`, what is rendered for it. */
export const renderScenarios = join(import.meta.dirname, 'render');

/** Names of all scenario folders, sorted. */
export async function scenarioNames(): Promise<string[]> {
  const entries = await readdir(renderScenarios, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** The mesh that a scenario asks for. */
export async function resolveScenario(name: string): Promise<ResolvedMesh> {
  const text = await readFile(join(renderScenarios, name, 'input.yaml'), 'utf8');
  return resolveMesh(load(text) as MeshOperator);
}

/** What a scenario renders to today, wave by wave. */
export async function renderScenario(name: string): Promise<string> {
  return renderMesh(await resolveScenario(name), {})
    .map((wave) => `# Wave ${wave.name}\n${manifestText(wave.objects)}`)
    .join('---\n');
}
