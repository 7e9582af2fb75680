import { dump } from 'js-yaml';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import { revisionLabel } from '../api/resolved-mesh.ts';
import { messageOf } from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';
import { injectPod } from '../injection/inject-pod.ts';
import type { Pod } from '../injection/pod.ts';
import { type ManifestPod, mapPods } from '../injection/workload-manifest.ts';
import { minorOf } from './kubernetes-version.ts';
import { type ManifestDocument, readManifestFile } from './manifest-file.ts';
import { type MeshSourceOptions, readMesh } from './mesh-source.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

export interface InjectOptions extends MeshSourceOptions {
  readonly filename: string;
  /** `key=value,key=value`; absent: the Namespace in the file, else labels that ask for this mesh. */
  readonly namespaceLabels?: string | undefined;
  /** `1.35`: decides whether sidecars are native. */
  readonly kubernetesVersion: string;
  /** Say on standard error what decided about each pod. */
  readonly explain?: boolean | undefined;
}

/**
 * `mesh-operator inject`: the manifests of a file with sidecars in their pods, on standard output; objects without
 * pods pass through. Needs no cluster. Pods that are refused are named on standard error, with exit code 1 and nothing
 * printed.
 */
export async function inject(options: InjectOptions, terminal: Terminal): Promise<ExitCode> {
  const kubernetesMinor = minorOf(options.kubernetesVersion);
  const given = options.namespaceLabels === undefined ? undefined : parseLabels(options.namespaceLabels);
  const mesh = await readMesh(options, terminal);
  const documents = await readManifestFile(options.filename, terminal);
  const problems: string[] = [];
  const injectOne =
    (source: string) =>
    (found: ManifestPod): Pod => {
      const { pod, workload, id } = found;
      const name = found.namespace ?? 'default';
      const labels = given ?? namespaceLabels(documents, name) ?? askingLabels(mesh);
      try {
        const outcome = injectPod({
          pod,
          mesh,
          kubernetesMinor,
          namespace: { name, labels },
          ...(workload === undefined ? {} : { workload }),
        });
        if (options.explain === true) terminal.stderr.write(`${source}: ${id}: ${outcome.explanation}\n`);
        return outcome.kind === 'inject' ? outcome.pod : pod;
      } catch (error) {
        problems.push(`${source}: ${id}: ${messageOf(error)}\n`);
        return pod;
      }
    };
  const injected = documents.map(({ source, value }) => mapPods(value, injectOne(source)));
  if (problems.length > 0) {
    for (const problem of problems) terminal.stderr.write(problem);
    return exitCodes.failed;
  }
  printManifests(injected, terminal);
  return exitCodes.ok;
}

/** Each document as YAML, keys in their order, separated by `---`. */
export function printManifests(manifests: readonly unknown[], terminal: Terminal): void {
  const texts = manifests.map((manifest) => dump(manifest, { lineWidth: -1, noRefs: true }));
  terminal.stdout.write(texts.join('---\n'));
}

/** The labels of the Namespace in the same file; undefined when it is not there. */
function namespaceLabels(
  documents: readonly ManifestDocument[],
  name: string,
): Record<string, string> | undefined {
  for (const { value } of documents) {
    if (!isRecord(value) || value.kind !== 'Namespace' || !isRecord(value.metadata)) continue;
    if (value.metadata.name === name) return (value.metadata.labels ?? {}) as Record<string, string>;
  }
  return undefined;
}

/** Whoever calls this verb wants this mesh, unless the manifests say otherwise. */
function askingLabels(mesh: ResolvedMesh): Record<string, string> {
  return { 'istio.io/rev': revisionLabel(mesh.revision) };
}

function parseLabels(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, value = ''] = /^([^=]+)=(.*)$/.exec(pair) ?? [];
      if (key === undefined) throw new UsageError(`--namespace-labels: ${pair} is not key=value`);
      return [key, value];
    }),
  );
}
