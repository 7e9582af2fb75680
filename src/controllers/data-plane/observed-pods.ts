import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { ownerGroup } from '../../api/labels.ts';
import { type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';
import { names } from '../../injection/annotation-names.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';
import { podRecord } from './pod-record.ts';

const injectionLabel = 'istio-injection';
const unlabelled = 'unlabelled';

/**
 * All pods of the cluster, as `podRecord` keeps them; indexed by the mesh that owns them (`ownerGroup`), by namespace, by
 * the revision that they ask for themselves, the one that their proxy follows, and by their controller.
 */
export function createPodInformer(deps: InformerDeps): Informer {
  const index = (pod: KubernetesObject) => [
    ...ownerGroup(pod),
    inNamespace(pod.metadata.namespace ?? ''),
    ...askedRevisions(pod).map(asking),
    ...followedRevisions(pod).map(following),
    ...controllersOf(pod).map(({ uid }) => ofController(uid)),
  ];
  return new Informer({ kind: kindInfo('v1', 'Pod'), index, transform: podRecord }, deps);
}

/** All namespaces with nothing but UID, labels, and when they began to end; indexed by the revision that they ask for. */
export function createNamespaceInformer(deps: InformerDeps): Informer {
  const index = ({ metadata }: KubernetesObject) => {
    const revisions = namespaceRevisions(metadata.labels ?? {});
    return revisions.length === 0 ? [unlabelled] : revisions.map(asking);
  };
  return new Informer({ kind: kindInfo('v1', 'Namespace'), index, transform: withLabelsOnly }, deps);
}

/** The namespaces that choose the mesh by their labels, or by having none where the mesh takes those, with their labels. */
export function chosenNamespaces(
  mesh: ResolvedMesh,
  namespaces: Informer,
): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const revisions = revisionsOf(mesh);
  const groups = revisions.map(asking);
  if (mesh.injection.enableNamespacesByDefault && revisions.includes('default')) groups.push(unlabelled);
  return new Map(
    groups
      .flatMap((group) => namespaces.byGroup(group))
      .map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
  );
}

/** The namespaces whose labels name a revision or tag. */
export function namespacesAsking(namespaces: Informer, revision: string): KubernetesObject[] {
  return namespaces.byGroup(asking(revision));
}

/** The pods that a mesh's injector may be responsible for, each with its namespace's labels, and no others. */
export function* candidatePods(
  mesh: ResolvedMesh,
  pods: Informer,
  namespaces: Informer,
): Generator<readonly [pod: KubernetesObject, namespaceLabels: Readonly<Record<string, string>>]> {
  const chosen = chosenNamespaces(mesh, namespaces);
  for (const [name, labels] of chosen) for (const pod of pods.byGroup(inNamespace(name))) yield [pod, labels];
  for (const revision of revisionsOf(mesh)) {
    for (const pod of pods.byGroup(asking(revision))) {
      const { namespace = '' } = pod.metadata;
      if (!chosen.has(namespace)) yield [pod, namespaces.get(undefined, namespace)?.metadata.labels ?? {}];
    }
  }
}

/** The pods with a proxy that a revision's injector has put in, or that ask for the revision or tag by their own labels. */
export function podsFollowing(pods: Informer, revision: string): KubernetesObject[] {
  return pods.byGroup(following(revision));
}

/** Every pod of a namespace. */
export function podsIn(pods: Informer, namespace: string): KubernetesObject[] {
  return pods.byGroup(inNamespace(namespace));
}

/** The pods of one controller, such as a ReplicaSet. */
export function podsOfController(pods: Informer, uid: string): KubernetesObject[] {
  return pods.byGroup(ofController(uid));
}

/** The revisions whose meshes a pod may be of interest to; empty for one that only a default of a mesh selects. */
export function revisionsAround(
  pod: KubernetesObject,
  namespaceLabels: Readonly<Record<string, string>>,
): string[] {
  return [...new Set([...followedRevisions(pod), ...namespaceRevisions(namespaceLabels)])];
}

/** The revisions that a namespace's labels name. */
export function namespaceRevisions(labels: Readonly<Record<string, string>>): string[] {
  const legacy = labels[injectionLabel];
  const revision = labels[names.revision];
  return [...(legacy === undefined ? [] : ['default']), ...(revision === undefined ? [] : [revision])];
}

/** The controllers that a pod belongs to: one, or none. */
export function controllersOf({ metadata }: KubernetesObject) {
  return (metadata.ownerReferences ?? []).filter(({ controller }) => controller === true);
}

function askedRevisions({ metadata: { labels = {} } }: KubernetesObject): string[] {
  const revision = labels[names.revision];
  if (revision !== undefined) return [revision];
  return labels[names.inject] === 'true' ? ['default'] : [];
}

/** The revision whose injector has put the proxy into a pod, as its status annotation says; undefined when it does not. */
export function proxyRevision(pod: KubernetesObject): string | undefined {
  const { revision } = parseStatus(pod.metadata.annotations?.[names.status]);
  return typeof revision === 'string' ? revision : undefined;
}

/** The revision that a pod's proxy follows; of a gateway, which is rendered and not injected, its label says so. */
export function followedRevision(pod: KubernetesObject): string | undefined {
  return proxyRevision(pod) ?? pod.metadata.labels?.[names.revision];
}

/** What has been injected because of its namespace's labels says so in its status annotation alone. */
function followedRevisions(pod: KubernetesObject): string[] {
  const revision = proxyRevision(pod);
  return [...new Set([...askedRevisions(pod), ...(revision === undefined ? [] : [revision])])];
}

/** The names by which a mesh is chosen. */
function revisionsOf({ revision, revisionTags }: ResolvedMesh): string[] {
  return [revisionLabel(revision), ...revisionTags];
}

/** Anybody may write the annotation: what is no JSON object says nothing. */
function parseStatus(text = '{}'): Record<string, unknown> {
  try {
    const status: unknown = JSON.parse(text);
    return isRecord(status) ? status : {};
  } catch {
    return {};
  }
}

const inNamespace = (name: string) => `namespace:${name}`;
const asking = (revision: string) => `revision:${revision}`;
const following = (revision: string) => `proxy:${revision}`;
const ofController = (uid: string) => `controller:${uid}`;

function withLabelsOnly({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject {
  const { name, uid, resourceVersion = '', labels = {}, deletionTimestamp } = metadata;
  const ending = deletionTimestamp === undefined ? {} : { deletionTimestamp };
  return {
    apiVersion,
    kind,
    metadata: { name, ...(uid === undefined ? {} : { uid }), resourceVersion, labels, ...ending },
  };
}
