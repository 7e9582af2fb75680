import { type KubernetesObject, keyText } from '../../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../../api/labels.ts';
import { type ResolvedMesh, revisionLabel } from '../../../api/resolved-mesh.ts';
import { isSettled, readRevisions } from '../../../render/revisions/read-revision.ts';
import { objectKeyOf } from '../../../runtime/informer-events.ts';
import type { DataPlaneInformers } from '../data-plane-reconciler.ts';
import {
  candidatePods,
  chosenNamespaces,
  followedRevision,
  namespacesAsking,
  podsFollowing,
  proxyRevision,
} from '../observed-pods.ts';
import { hasProxy, isLive, isRecordReady } from '../pod-record.ts';
import { proxyStateOf } from '../proxy-state.ts';
import type { ObservedNamespace, ObservedProxy, ObservedUpgrade } from './observed-upgrade.ts';

/** What the caches tell of a mesh and its proxies. */
export function observeUpgrade(
  object: KubernetesObject,
  mesh: ResolvedMesh,
  { meshes, pods, namespaces }: DataPlaneInformers,
): ObservedUpgrade {
  const key = objectKeyOf(object);
  const byName = new Map<string, { labels: Readonly<Record<string, string>>; proxies: ObservedProxy[] }>();
  for (const [name, labels] of chosenNamespaces(mesh, namespaces)) byName.set(name, { labels, proxies: [] });
  for (const [pod, labels] of candidatePods(mesh, pods, namespaces)) {
    const state = proxyStateOf(pod, labels, mesh);
    if (state === 'outside' || state === 'bare') continue;
    const { namespace = '' } = pod.metadata;
    const known = byName.get(namespace) ?? { labels, proxies: [] };
    byName.set(namespace, known);
    known.proxies.push({
      pod,
      revision: proxyRevision(pod) ?? revisionLabel(mesh.revision),
      isOutdated: state === 'outdated',
      isReady: isRecordReady(pod),
    });
  }
  return {
    revisions: readRevisions(key, meshes.values()),
    isMeshReady: isSettled(object),
    namespaces: [...byName]
      .map(([name, { labels, proxies }]): ObservedNamespace => ({ name, labels, proxies }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    gateways: pods
      .byGroup(keyText(key))
      .filter((pod) => isLive(pod) && hasProxy(pod))
      .map((pod) => gatewayProxy(pod, mesh)),
    following: (revision) =>
      namespacesAsking(namespaces, revision).length +
      podsFollowing(pods, revision).filter(usesRevision).length,
  };
}

/** What a control plane consists of names its revision, and does not use it. */
function usesRevision(pod: KubernetesObject): boolean {
  const isOfMesh = ownerByLabels(pod.metadata.labels) !== undefined;
  return isLive(pod) && (!isOfMesh || hasProxy(pod));
}

function gatewayProxy(pod: KubernetesObject, mesh: ResolvedMesh): ObservedProxy {
  const revision = followedRevision(pod) ?? revisionLabel(mesh.revision);
  return { pod, revision, isOutdated: false, isReady: isRecordReady(pod) };
}
