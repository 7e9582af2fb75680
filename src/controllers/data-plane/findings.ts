import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { proxyStateOf } from './proxy-state.ts';

/** What one pass has found of a mesh's pods. */
export interface Findings {
  readonly injected: number;
  readonly outdated: number;
  /** By namespace and name. */
  readonly bare: readonly KubernetesObject[];
}

/** Looks at each pod once; `candidates` are pods with their namespace's labels. */
export function gatherFindings(
  mesh: ResolvedMesh,
  candidates: Iterable<readonly [KubernetesObject, Readonly<Record<string, string>>]>,
): Findings {
  const count = { injected: 0, outdated: 0 };
  const bare: KubernetesObject[] = [];
  for (const [pod, labels] of candidates) {
    const state = proxyStateOf(pod, labels, mesh);
    if (state === 'bare') bare.push(pod);
    else if (state !== 'outside') count[state] += 1;
  }
  return { ...count, bare: bare.sort((a, b) => (podText(a) < podText(b) ? -1 : 1)) };
}

/** `namespace/name` of a pod. */
export function podText({ metadata }: KubernetesObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
