import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { nextTurn } from '../../base/clock.ts';
import { proxyStateOf } from './proxy-state.ts';

/** What one pass has found of a mesh's pods. */
export interface Findings {
  readonly injected: number;
  readonly outdated: number;
  /** By namespace and name. */
  readonly bare: readonly KubernetesObject[];
}

/** Between so many pods everybody else has a turn: a lease must be renewed while a hundred thousand are looked at. */
const podsPerTurn = 1_000;

/** Looks at each pod once; `candidates` are pods with their namespace's labels. */
export async function gatherFindings(
  mesh: ResolvedMesh,
  candidates: Iterable<readonly [KubernetesObject, Readonly<Record<string, string>>]>,
): Promise<Findings> {
  let seen = 0;
  const count = { injected: 0, outdated: 0 };
  const bare: KubernetesObject[] = [];
  for (const [pod, labels] of candidates) {
    seen += 1;
    if (seen % podsPerTurn === 0) await nextTurn();
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
