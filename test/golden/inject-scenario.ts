import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dump, load, loadAll } from 'js-yaml';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import { injectPod } from '../../src/injection/inject-pod.ts';
import type { InjectionInput } from '../../src/injection/injection-input.ts';
import type { Pod } from '../../src/injection/pod.ts';
import { PodRejectedError } from '../../src/injection/pod-rejected-error.ts';
import { applyPatch } from '../support/apply-patch.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';

/**
 * Holds one folder per scenario: `input.yaml`, a Namespace and a pod; `mesh.yaml`, a MeshOperator unless it is the
 * usual one; `context.json` with the minor version of Kubernetes unless it is the newest; and `expected.yaml`.
 */
export const injectScenarios = join(import.meta.dirname, 'inject');

const usualKubernetesMinor = 35;

/** A scenario as the core takes it, and the MeshOperator it comes from. */
export interface InjectScenario {
  readonly input: InjectionInput;
  readonly meshOperator: MeshOperator;
}

/** Names of all scenario folders, sorted. */
export async function injectScenarioNames(): Promise<string[]> {
  const entries = await readdir(injectScenarios, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export async function readInjectScenario(name: string): Promise<InjectScenario> {
  const folder = join(injectScenarios, name);
  const [namespace, pod] = loadAll(await readFile(join(folder, 'input.yaml'), 'utf8')) as KubernetesObject[];
  if (namespace?.kind !== 'Namespace' || pod?.kind !== 'Pod') {
    throw new Error(`Scenario ${name}: input.yaml must hold a Namespace and a Pod`);
  }
  const meshOperator = (await readIfThere(join(folder, 'mesh.yaml'))) ?? aMeshOperator();
  const context = await readIfThere(join(folder, 'context.json'));
  return {
    meshOperator: meshOperator as MeshOperator,
    input: {
      pod: pod as unknown as Pod,
      namespace: { name: namespace.metadata.name, labels: namespace.metadata.labels ?? {} },
      mesh: resolveMesh(meshOperator as MeshOperator),
      kubernetesMinor:
        (context as { kubernetesMinor?: number } | undefined)?.kubernetesMinor ?? usualKubernetesMinor,
    },
  };
}

/**
 * What becomes of a scenario's pod, as `expected.yaml` has it: the pod with the patch applied, or the reason why it is
 * skipped or refused.
 */
export async function injectScenario(name: string): Promise<string> {
  const { input } = await readInjectScenario(name);
  return dump(outcomeOf(input), { lineWidth: -1, sortKeys: true, noRefs: true });
}

function outcomeOf(input: InjectionInput): object {
  try {
    const outcome = injectPod(input);
    if (outcome.kind === 'skip') return { skipped: outcome.reason, explanation: outcome.explanation };
    return { explanation: outcome.explanation, pod: applyPatch(input.pod, outcome.patch) };
  } catch (error) {
    if (error instanceof PodRejectedError) return { rejected: error.message };
    throw error;
  }
}

async function readIfThere(path: string): Promise<unknown> {
  return existsSync(path) ? load(await readFile(path, 'utf8')) : undefined;
}
