import { meshOperatorApiVersion, meshOperatorKind } from '../../api/mesh-operator.ts';
import { defaultHub } from '../../api/resolve.ts';
import { resolveVersion } from '../../api/resolve-version.ts';
import type { Json, JsonObject } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { Loss, SourceDocument } from '../../convert/conversion.ts';
import { convertDocuments } from '../../convert/convert.ts';
import type { ManifestDocument } from '../manifest-file.ts';
import { findMeshProblems } from '../mesh-problems.ts';
import { UsageError } from '../terminal.ts';
import { type Installation, istiodImageParts } from './find-installation.ts';
import { withGatewayPorts } from './gateway-ports.ts';

/** The MeshOperator that means what is installed. */
export interface AdoptingMesh {
  readonly mesh: JsonObject;
  /** Settings that it does not have. */
  readonly losses: readonly Loss[];
}

/** The charts in the order in which one builds on the other. */
const chartOrder = ['istiod', 'base', 'gateway'];

/**
 * The MeshOperator of an installation: of what is known of it, or of a file with what it was installed by, or with the
 * MeshOperator itself. Throws UsageError where nothing says what was installed, or the file holds something else.
 */
export function meshOfInstallation(
  installation: Installation,
  documents: readonly ManifestDocument[] | undefined,
): AdoptingMesh {
  const [first, ...others] = documents ?? [];
  if (isRecord(first?.value) && first.value.kind === meshOperatorKind) {
    if (others.length > 0) throw new UsageError('Give a file with one MeshOperator alone');
    return { mesh: inNamespace(first.value as JsonObject, installation), losses: [] };
  }
  const sources = documents ?? sourcesOf(installation);
  const { namespace } = installation;
  const [converted, ...rest] = convertDocuments(sources, { namespace, findProblems: findMeshProblems });
  if (converted === undefined || rest.length > 0) {
    throw new UsageError('The file holds more than one mesh: give what was installed, in one file');
  }
  const { mesh, losses } = converted;
  return { mesh: withGatewayPorts(withWhatRuns(mesh, installation), installation.objects), losses };
}

/** Where the control plane is, the MeshOperator must be: that is not a question of its file. */
function inNamespace(mesh: JsonObject, { namespace }: Installation): JsonObject {
  const metadata = isRecord(mesh.metadata) ? mesh.metadata : {};
  if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw new UsageError(
      `metadata.namespace of the MeshOperator is ${String(metadata.namespace)}, and the control plane is in ${namespace}: a MeshOperator is where its control plane is`,
    );
  }
  return { ...mesh, metadata: { ...metadata, namespace } as JsonObject };
}

/** Releases of the control plane say no more than its IstioRevision, which says the version as well. */
function sourcesOf(installation: Installation): SourceDocument[] {
  const { sail, releases } = installation;
  if (sail?.revision === undefined) return releaseDocuments(installation);
  const gateways = releases.filter(({ chart }) => chart === 'gateway');
  const source = `IstioRevision ${sail.revision.metadata.name}`;
  return [{ source, value: sail.revision }, ...releaseDocuments({ ...installation, releases: gateways })];
}

function releaseDocuments({ releases, installer, namespace }: Installation): SourceDocument[] {
  if (installer !== 'helm' && installer !== 'sail') {
    const by = installer === 'istioctl' ? 'istioctl keeps no record' : 'nothing in the cluster is a record';
    throw new UsageError(
      `${by} of what was installed: give it by -f, an IstioOperator for example (an empty one for the default profile), or a MeshOperator`,
    );
  }
  const order = (chart: string | undefined) => chartOrder.indexOf(chart ?? '');
  return releases
    .flatMap(({ chart, ...release }) => (chart === 'revisiontags' ? [] : [{ ...release, chart }]))
    .sort((a, b) => order(a.chart) - order(b.chart))
    .map(({ name, namespace: where, chart, values }) => ({
      source: `Helm release ${where}/${name}`,
      value: values,
      helm: { chart, release: name, ...(where === namespace ? {} : { namespace: where }) },
    }));
}

/** With the version, the revision and the tags that are installed, where the settings do not say so. */
function withWhatRuns(mesh: JsonObject, { istiod, revision, tags }: Installation): JsonObject {
  const spec = isRecord(mesh.spec) ? (mesh.spec as JsonObject) : {};
  const known = Array.isArray(spec.revisionTags) ? spec.revisionTags : [];
  const revisionTags = [...known, ...tags.filter((tag) => !known.includes(tag))];
  return {
    apiVersion: meshOperatorApiVersion,
    kind: meshOperatorKind,
    ...mesh,
    spec: {
      ...spec,
      ...imageSettings(spec, istiod),
      ...(revision === '' || spec.revision !== undefined ? {} : { revision }),
      ...(revisionTags.length === 0 ? {} : { revisionTags }),
    },
  };
}

/** A release of Istio by its version, and anything else by the place of its images. */
function imageSettings(spec: JsonObject, istiod: Installation['istiod']): JsonObject {
  const { hub, tag } = istiodImageParts(istiod);
  if (tag === '' || spec.tag !== undefined) return {};
  const isRelease = /^[0-9]+\.[0-9]+\.[0-9]+$/.test(tag) && resolveVersion(tag) !== undefined;
  const place: Json = spec.hub ?? hub;
  return {
    ...(isRelease && spec.version === undefined ? { version: tag } : {}),
    ...(place === defaultHub ? {} : { hub: place }),
    ...(isRelease ? {} : { tag }),
  };
}
