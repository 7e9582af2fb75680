import { dropNulls } from '../api/drop-nulls.ts';
import type { MeshOperator } from '../api/mesh-operator.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import { problemText } from '../api/problem.ts';
import { resolveMesh } from '../api/resolve.ts';
import { defaultProxyResources } from '../api/resolve-injection.ts';
import { resolveVersion } from '../api/resolve-version.ts';
import type { JsonObject, ResolvedMesh } from '../api/resolved-mesh.ts';
import { type Values, valuesSchema } from '../api/spec/values.ts';
import { validateMeshOperator } from '../api/validate.ts';
import { isRecord } from '../base/stable-json.ts';
import { meshDocuments, readManifestFile } from './manifest-file.ts';
import { type Terminal, UsageError } from './terminal.ts';

/** Which mesh a verb works for. */
export interface MeshSourceOptions {
  /** File with one MeshOperator. */
  readonly mesh?: string | undefined;
  /** File with Istio's MeshConfig: the key `mesh` of its ConfigMap. */
  readonly meshConfig?: string | undefined;
  /** File with the values of Istio's injector: the key `values` of its ConfigMap. */
  readonly values?: string | undefined;
}

/**
 * The mesh of a MeshOperator in a file, or of the two documents that `istioctl kube-inject` takes. Of values, what has
 * no effect here is ignored. Throws UsageError when the files do not say which mesh, or say it wrongly.
 */
export async function readMesh(options: MeshSourceOptions, terminal: Terminal): Promise<ResolvedMesh> {
  const { mesh, meshConfig, values } = options;
  if (mesh !== undefined) {
    if (meshConfig !== undefined || values !== undefined) {
      throw new UsageError('Give --mesh, or --mesh-config and --values, not both');
    }
    const [document, ...others] = meshDocuments(await readManifestFile(mesh, terminal), mesh);
    if (document === undefined || others.length > 0) {
      throw new UsageError(`${mesh} holds several MeshOperators: give a file with one`);
    }
    return resolved(document.value, mesh);
  }
  if (meshConfig === undefined && values === undefined) {
    throw new UsageError('Which mesh? Give --mesh FILE, or --mesh-config FILE and --values FILE');
  }
  return meshOfValues(
    values === undefined ? {} : await readObject(values, terminal),
    meshConfig === undefined ? {} : await readObject(meshConfig, terminal),
    values ?? meshConfig ?? '',
  );
}

async function readObject(file: string, terminal: Terminal): Promise<Record<string, unknown>> {
  const [document, ...others] = await readManifestFile(file, terminal);
  if (document === undefined) return {};
  if (others.length > 0 || !isRecord(document.value))
    throw new UsageError(`${file} must hold one YAML object`);
  return document.value;
}

function resolved(value: unknown, file: string): ResolvedMesh {
  const problems = validateMeshOperator(value);
  if (problems.length > 0)
    throw new UsageError(problems.map((problem) => `${file}: ${problemText(problem)}`).join('\n'));
  return resolveMesh(value as MeshOperator);
}

function meshOfValues(
  all: Record<string, unknown>,
  meshConfig: Record<string, unknown>,
  file: string,
): ResolvedMesh {
  const values = knownValues(dropNulls(all)) as Values;
  const global = isRecord(all.global) ? all.global : {};
  const tag = values.global?.tag;
  const minor = /^v?([0-9]+\.[0-9]+)\./.exec(tag ?? '')?.[1];
  const mesh = resolved(
    {
      apiVersion: meshOperatorApiVersion,
      kind: meshOperatorKind,
      metadata: { name: 'mesh', namespace: textOr(global.istioNamespace, 'istio-system') },
      spec: {
        profile: 'empty',
        ...(resolveVersion(minor) === undefined ? {} : { version: minor }),
        ...(textOr(all.revision, 'default') === 'default' ? {} : { revision: all.revision }),
        meshConfig,
        values,
      },
    },
    file,
  );
  const { securityContext } = isRecord(all.gateways) ? all.gateways : {};
  return {
    ...mesh,
    injection: {
      ...mesh.injection,
      // These values are complete: what is not in them was taken away.
      resources: (values.global?.proxy?.resources as JsonObject | undefined) ?? defaultProxyResources,
      ...(isRecord(securityContext) && Object.keys(securityContext).length > 0
        ? { gatewaySecurityContext: securityContext as JsonObject }
        : {}),
    },
  };
}

/** Helm's values hold far more than injection reads, and write an empty text for "not set". */
function knownValues(values: Record<string, unknown>): unknown {
  const known = structuredClone(values);
  for (const issue of valuesSchema.safeParse(known).error?.issues ?? []) {
    const path = issue.code === 'unrecognized_keys' ? issue.path : issue.path.slice(0, -1);
    const parent = path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)[key], known);
    if (typeof parent !== 'object' || parent === null) continue;
    const holder = parent as Record<PropertyKey, unknown>;
    const keys =
      issue.code === 'unrecognized_keys'
        ? issue.keys
        : issue.path.slice(-1).filter((key) => holder[key] === '');
    for (const key of keys) delete holder[key];
  }
  return known;
}

function textOr(value: unknown, preset: string): string {
  return typeof value === 'string' && value !== '' ? value : preset;
}
