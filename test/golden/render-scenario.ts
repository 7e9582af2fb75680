import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { dump, load } from 'js-yaml';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import type { ResolvedMesh } from '../../src/api/resolved-mesh.ts';
import { render } from '../../src/cli/render.ts';
import { aRenderContext } from '../support/render-context.ts';

/**
 * Holds one folder per scenario: `input.yaml`, a MeshOperator; `expected.yaml`, what is rendered for it; and for each
 * older minor of Istio a file such as `1.30.txt` with what is rendered otherwise, unless the input names a version or a tag.
 */
export const renderScenarios = join(import.meta.dirname, 'render');

/** Names of all scenario folders, sorted. */
export async function scenarioNames(): Promise<string[]> {
  const entries = await readdir(renderScenarios, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** What a scenario gives to the operator. */
export async function readScenario(name: string): Promise<MeshOperator> {
  return load(await readFile(join(renderScenarios, name, 'input.yaml'), 'utf8')) as MeshOperator;
}

/** The mesh that a scenario asks for. */
export async function resolveScenario(name: string): Promise<ResolvedMesh> {
  return resolveMesh(await readScenario(name));
}

/**
 * What `mesh-operator render` prints for a scenario today, with another version of Istio if one is named. Throws with
 * what it complains about.
 */
export async function renderScenario(name: string, version?: string): Promise<string> {
  const { spec, ...mesh } = await readScenario(name);
  const input = dump({ ...mesh, spec: version === undefined ? spec : { ...spec, version } });
  const terminal = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  terminal.stdin.end(input);
  const [printed, complaints] = [text(terminal.stdout), text(terminal.stderr)];
  const { operatorImage: image, kubernetesMinor } = aRenderContext();
  const kubernetesVersion = `1.${kubernetesMinor}`;
  const options = { filename: '-', image, kubernetesVersion, output: 'yaml' } as const;
  const code = await render(options, terminal);
  terminal.stdout.end();
  terminal.stderr.end();
  if (code !== 0) throw new Error(`Scenario ${name} exits with ${code}: ${await complaints}`);
  return printed;
}
