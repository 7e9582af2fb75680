import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { names } from '../../injection/annotation-names.ts';
import { decideInjection } from '../../injection/decide-injection.ts';
import { annotationOf, findProxy } from '../../injection/pod.ts';
import { PodRejectedError } from '../../injection/pod-rejected-error.ts';
import { asPod, isLive } from './pod-record.ts';
import { isOlderProxy } from './proxy-age.ts';

/**
 * What a pod is to a mesh: `outside` when the mesh's injector has nothing to do with it, `bare` when it should have a
 * sidecar and has none, `outdated` when its sidecar is older than the control plane.
 */
export type ProxyState = 'outside' | 'injected' | 'outdated' | 'bare';

/** The state of a pod (as `podRecord` keeps it) of a namespace with these labels. */
export function proxyStateOf(
  pod: KubernetesObject,
  namespaceLabels: Readonly<Record<string, string>>,
  mesh: ResolvedMesh,
): ProxyState {
  if (!isLive(pod) || !isResponsible(pod, namespaceLabels, mesh)) return 'outside';
  const proxy = findProxy(asPod(pod));
  if (proxy === undefined) {
    // Templates without Envoy leave their mark and no proxy.
    return annotationOf(asPod(pod), names.status) === undefined ? 'bare' : 'injected';
  }
  // As in the injection core, a name without a path chooses nothing.
  const isChosen = annotationOf(asPod(pod), names.proxyImage)?.includes('/') === true;
  return !isChosen && isOlderProxy(proxy.image ?? '', mesh.tag) ? 'outdated' : 'injected';
}

function isResponsible(
  pod: KubernetesObject,
  labels: Readonly<Record<string, string>>,
  mesh: ResolvedMesh,
): boolean {
  const namespace = { name: pod.metadata.namespace ?? '', labels };
  try {
    // Which Kubernetes it is decides about the sidecar's form alone.
    return decideInjection({ pod: asPod(pod), namespace, mesh, kubernetesMinor: 0 }).kind === 'inject';
  } catch (error) {
    // It names a template that does not exist: the webhook would refuse it, so it was there before.
    if (error instanceof PodRejectedError) return false;
    throw error;
  }
}
