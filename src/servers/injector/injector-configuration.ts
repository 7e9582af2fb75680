import { builtInTemplateNames } from '../../api/injection-templates.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { messageOf, TerminalError } from '../../base/errors.ts';
import { isRecord, stableHash } from '../../base/stable-json.ts';
import { renderInjected } from '../../injection/inject-pod.ts';
import type { Pod } from '../../injection/pod.ts';

/** What the mesh controller tells its injector: one document, read as a whole. */
export interface InjectorConfiguration {
  readonly mesh: ResolvedMesh;
  /** 33 for Kubernetes 1.33: native sidecars are the default from there on. */
  readonly kubernetesMinor: number;
  /** Changes with the content; for the log. */
  readonly version: string;
}

/**
 * The configuration in a JSON text `{"mesh": ..., "kubernetesMinor": 35}`, frozen to its depth: no request can change
 * what the next one sees. Proven before it is used, by an injection. Throws TerminalError with reason
 * `InvalidConfiguration`.
 */
export function parseInjectorConfiguration(text: string): InjectorConfiguration {
  const document = parseJson(text);
  if (!isRecord(document) || !isRecord(document.mesh)) throw invalid('it has no object "mesh"');
  const { kubernetesMinor } = document;
  if (typeof kubernetesMinor !== 'number' || !Number.isInteger(kubernetesMinor) || kubernetesMinor < 0) {
    throw invalid('"kubernetesMinor" must be a whole number, 33 for Kubernetes 1.33');
  }
  const mesh = deepFrozen(document.mesh) as unknown as ResolvedMesh;
  proveUsable(mesh, kubernetesMinor);
  return { mesh, kubernetesMinor, version: stableHash(document, 12) };
}

/**
 * Injects a pod with the built-in sidecar: whatever the mesh lacks shows here, and not in somebody's pod. Custom
 * templates are not asked, since they may rightly print what only their own pods have.
 */
function proveUsable(mesh: ResolvedMesh, kubernetesMinor: number): void {
  try {
    if (typeof mesh.revision !== 'string' || !Array.isArray(mesh.revisionTags)) {
      throw new Error('mesh.revision must be text and mesh.revisionTags a list');
    }
    const injection = { ...mesh.injection, templates: {} };
    for (const selector of [...injection.neverInjectSelector, ...injection.alwaysInjectSelector]) {
      if (!isRecord(selector)) throw new Error('a selector is no object');
    }
    renderInjected(
      {
        pod: provingPod,
        namespace: { name: 'default' },
        mesh: { ...mesh, injection },
        kubernetesMinor,
      },
      [builtInTemplateNames[0]],
    );
  } catch (error) {
    throw invalid(`a pod cannot be injected with it: ${messageOf(error)}`, error);
  }
}

const provingPod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'proof', namespace: 'default' },
  spec: { containers: [{ name: 'app', image: 'app' }] },
};

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) deepFrozen(inner);
  return Object.freeze(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw invalid('it is no JSON', error);
  }
}

function invalid(problem: string, cause?: unknown): TerminalError {
  return new TerminalError(`The injector's configuration cannot be used: ${problem}`, {
    reason: 'InvalidConfiguration',
    cause,
  });
}
