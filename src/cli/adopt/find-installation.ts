import { adoptedFrom } from '../../api/adoption.ts';
import { idOf, idText, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../api/labels.ts';
import { revisionLabel } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';
import { ownedKinds } from '../../controllers/mesh/owned-kinds.ts';
import type { KubeClient } from '../../kube/client.ts';
import { UsageError } from '../terminal.ts';
import { type HelmRelease, readRelease, releaseOf } from './helm-release.ts';
import { isOfSail, readSailResources, type SailResources } from './sail-resources.ts';

/** Which installation is meant. */
export interface InstallationOptions {
  /** Of its control plane; absent: whichever there is. */
  readonly namespace?: string | undefined;
  /** `default` for the one without a name; absent: whichever there is. */
  readonly revision?: string | undefined;
}

/** An Istio that something else than this operator has installed. */
export interface Installation {
  readonly namespace: string;
  /** Empty for the one without a name. */
  readonly revision: string;
  /** What has installed it. */
  readonly installer: 'helm' | 'sail' | 'istioctl' | 'manifests';
  /** Its istiod. */
  readonly istiod: KubernetesObject;
  /** Empty where it was neither Helm nor Sail, which uses Helm. */
  readonly releases: readonly HelmRelease[];
  /** What Sail's operator has of it, where that has installed it. */
  readonly sail?: SailResources;
  /** Its objects of the kinds that a mesh consists of. */
  readonly objects: readonly KubernetesObject[];
  /** Names by which namespaces choose it. */
  readonly tags: readonly string[];
}

const revisionKey = 'istio.io/rev';
const tagKey = 'istio.io/tag';
const componentKey = 'operator.istio.io/component';
const owningResourceKey = 'install.operator.istio.io/owning-resource';

/** Looks for the installation that is meant; only reads. Throws UsageError when there is none, or more than one. */
export async function findInstallation(
  client: KubeClient,
  options: InstallationOptions,
  signal: AbortSignal,
): Promise<Installation> {
  const lists = await Promise.all(ownedKinds.map((kind) => client.list(kind, {}, signal)));
  const foreign = lists.flatMap(({ items }) => items).filter(isNotOurs);
  const istiods = foreign.filter(isIstiod);
  const istiod = theOneMeant(istiods, options);
  const namespace = istiod.metadata.namespace ?? '';
  const revision = revisionOf(istiod);
  const own = releaseOf(istiod);
  const base = { namespace, revision, istiod, tags: tagsOf(foreign, revision) };
  if (own === undefined) {
    const objects = foreign.filter((object) => isOfIstioctl(object, revision));
    const installer = objects.length === 0 ? 'manifests' : 'istioctl';
    return { ...base, installer, releases: [], objects: union([istiod], objects) };
  }
  const names = new Map(
    [
      own,
      ...baseReleases(foreign),
      ...tagReleases(foreign, revision),
      ...gatewayReleases(foreign, revision),
    ].map((release) => [`${release.namespace}/${release.name}`, release]),
  );
  const read = await Promise.all([...names.values()].map((release) => readRelease(client, release, signal)));
  const isAlone = istiods.length === 1;
  const releases = read.filter(
    ({ chart, values }) =>
      chart === 'istiod' ||
      chart === 'gateway' ||
      chart === 'revisiontags' ||
      (chart === 'base' && (revision === '' || isAlone || isDefault(revision, values))),
  );
  const objects = foreign.filter((object) => {
    const release = releaseOf(object);
    return releases.some(
      ({ name, namespace: where }) => name === release?.name && where === release.namespace,
    );
  });
  if (!isOfSail(istiod)) return { ...base, installer: 'helm', releases, objects };
  const sail = await readSailResources(client, revision, signal);
  return { ...base, installer: 'sail', releases, objects, sail };
}

function theOneMeant(istiods: readonly KubernetesObject[], options: InstallationOptions): KubernetesObject {
  const { namespace, revision } = options;
  const meant = istiods.filter(
    (istiod) =>
      (namespace === undefined || istiod.metadata.namespace === namespace) &&
      (revision === undefined || revisionLabel(revisionOf(istiod)) === revision),
  );
  const [first, ...others] = meant;
  if (first !== undefined && others.length === 0) return first;
  const found = istiods.map(
    (istiod) => `${idText(idOf(istiod))} (revision ${revisionLabel(revisionOf(istiod))})`,
  );
  if (first === undefined) {
    const all =
      found.length === 0
        ? 'no Deployment with label app=istiod that is not of a MeshOperator'
        : found.join(', ');
    throw new UsageError(`There is no such Istio to adopt; the cluster has ${all}`);
  }
  throw new UsageError(
    `There are several Istios: give --namespace and --revision of one; there are ${found.join(', ')}`,
  );
}

/** Objects of a mesh are left out, but for those that an adoption has begun with. */
function isNotOurs(object: KubernetesObject): boolean {
  return ownerByLabels(object.metadata.labels) === undefined || adoptedFrom(object) !== undefined;
}

function isIstiod({ kind, metadata }: KubernetesObject): boolean {
  return kind === 'Deployment' && metadata.labels?.app === 'istiod';
}

/** `default` is what the revision without a name is called. */
function revisionOf({ metadata }: KubernetesObject): string {
  const label = metadata.labels?.[revisionKey] ?? 'default';
  return label === 'default' ? '' : label;
}

function tagsOf(objects: readonly KubernetesObject[], revision: string): string[] {
  const tags = objects
    .filter((object) => isTagOf(object, revision))
    .map(({ metadata }) => metadata.labels?.[tagKey] ?? '');
  return [...new Set(tags.filter((tag) => tag !== revisionLabel(revision)))].sort();
}

function isTagOf({ kind, metadata: { labels = {} } }: KubernetesObject, revision: string): boolean {
  const { [revisionKey]: target, [tagKey]: tag = '' } = labels;
  return kind === 'MutatingWebhookConfiguration' && target === revisionLabel(revision) && tag !== '';
}

/** The chart `base`, which all revisions share, goes with the default one, with the one it names, or with the last. */
function baseReleases(objects: readonly KubernetesObject[]) {
  const account = objects.find(
    ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === 'istio-reader-service-account',
  );
  const release = account === undefined ? undefined : releaseOf(account);
  return release === undefined ? [] : [release];
}

function isDefault(revision: string, values: unknown): boolean {
  return isRecord(values) && values.defaultRevision === revision;
}

/** Releases of tags that lead to the revision: Sail has one for each, of a chart of its own. */
function tagReleases(objects: readonly KubernetesObject[], revision: string) {
  return objects.filter((object) => isTagOf(object, revision)).flatMap((object) => releaseOf(object) ?? []);
}

/** Releases of gateways whose pods follow the revision. */
function gatewayReleases(objects: readonly KubernetesObject[], revision: string) {
  return objects.flatMap((object) => {
    const { metadata } = podTemplateOf(object);
    const isGateway = metadata.annotations?.['inject.istio.io/templates'] === 'gateway';
    const follows = metadata.labels?.[revisionKey] ?? 'default';
    const release = releaseOf(object);
    return isGateway && follows === revisionLabel(revision) && release !== undefined ? [release] : [];
  });
}

function isOfIstioctl({ metadata }: KubernetesObject, revision: string): boolean {
  const { labels = {} } = metadata;
  if (labels[componentKey] === undefined && labels[owningResourceKey] === undefined) return false;
  return (labels[revisionKey] ?? 'default') === revisionLabel(revision);
}

/** The image that istiod runs; empty where it cannot be told. */
function istiodImage({ spec }: KubernetesObject): string {
  const template = isRecord(spec) && isRecord(spec.template) ? spec.template : {};
  const pod = isRecord(template.spec) ? template.spec : {};
  const containers = Array.isArray(pod.containers) ? pod.containers.filter(isRecord) : [];
  return String(containers.find(({ name }) => name === 'discovery')?.image ?? '');
}

/** Hub and tag of that image, without the variant; empty where they cannot be told. */
export function istiodImageParts(istiod: KubernetesObject): { readonly hub: string; readonly tag: string } {
  const [, hub = '', tag = ''] = /^(.*)\/pilot:([^:/@]+)$/.exec(istiodImage(istiod)) ?? [];
  return { hub, tag: tag.replace(/-(distroless|debug)$/, '') };
}

interface PodTemplate {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, unknown>>;
    readonly annotations?: Readonly<Record<string, unknown>>;
  };
}

function podTemplateOf({ kind, spec }: KubernetesObject): PodTemplate {
  const template = kind === 'Deployment' && isRecord(spec) ? spec.template : undefined;
  return isRecord(template) && isRecord(template.metadata)
    ? (template as unknown as PodTemplate)
    : { metadata: {} };
}

function union(first: readonly KubernetesObject[], second: readonly KubernetesObject[]): KubernetesObject[] {
  return [...new Map([...first, ...second].map((object) => [idText(idOf(object)), object])).values()];
}
