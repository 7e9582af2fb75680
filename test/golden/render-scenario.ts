import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { load } from 'js-yaml';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import type { ResolvedMesh } from '../../src/api/resolved-mesh.ts';
import { render } from '../../src/cli/render.ts';
import { aRenderContext } from '../support/render-context.ts';

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
  return resolveMesh(load(await readFile(inputFile(name), 'utf8')) as MeshOperator);
}

/** What `mesh-operator render -f input.yaml` prints for a scenario today. Throws with what it complains about. */
export async function renderScenario(name: string): Promise<string> {
  const terminal = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const [printed, complaints] = [text(terminal.stdout), text(terminal.stderr)];
  const { operatorImage: image, kubernetesMinor } = aRenderContext();
  const kubernetesVersion = `1.${kubernetesMinor}`;
  const options = { filename: inputFile(name), image, kubernetesVersion, output: 'yaml' } as const;
  const code = await render(options, terminal);
  terminal.stdout.end();
  terminal.stderr.end();
  if (code !== 0) throw new Error(`Scenario ${name} exits with ${code}: ${await complaints}`);
  return printed;
}

function inputFile(name: string): string {
  return join(renderScenarios, name, 'input.yaml');
}
