import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { RevisionUse } from '../../api/mesh-operator-status.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { nextTurn } from '../../base/clock.ts';
import { hasProxy, isLive } from './pod-record.ts';
import { proxyStateOf } from './proxy-state.ts';
import { RevisionUseCount } from './revision-use.ts';

/** What one pass has found of a mesh's pods. */
export interface Findings {
  readonly injected: number;
  readonly outdated: number;
  /** By namespace and name. */
  readonly bare: readonly KubernetesObject[];
  /** Which revisions the proxies follow. */
  readonly revisions: readonly RevisionUse[];
}

export interface PodsOfMesh {
  /** Those that the injector may be responsible for, with their namespace's labels. */
  readonly candidates: Iterable<readonly [KubernetesObject, Readonly<Record<string, string>>]>;
  /** Those that follow the mesh for another reason: gateways, and what was injected before labels changed. */
  readonly followers: Iterable<KubernetesObject>;
}

/** Between so many pods everybody else has a turn: a lease must be renewed while a hundred thousand are looked at. */
const podsPerTurn = 1_000;

/** Looks at each pod once. */
export async function gatherFindings(
  mesh: ResolvedMesh,
  { candidates, followers }: PodsOfMesh,
): Promise<Findings> {
  let seen = 0;
  const count = { injected: 0, outdated: 0 };
  const bare: KubernetesObject[] = [];
  const use = new RevisionUseCount();
  for (const [pod, labels] of candidates) {
    seen += 1;
    if (seen % podsPerTurn === 0) await nextTurn();
    const state = proxyStateOf(pod, labels, mesh);
    if (state === 'bare') bare.push(pod);
    else if (state !== 'outside') {
      count[state] += 1;
      use.add(pod);
    }
  }
  for (const pod of followers) {
    seen += 1;
    if (seen % podsPerTurn === 0) await nextTurn();
    if (isLive(pod) && hasProxy(pod)) use.add(pod);
  }
  return {
    ...count,
    bare: bare.sort((a, b) => (podText(a) < podText(b) ? -1 : 1)),
    revisions: use.revisions,
  };
}

/** `namespace/name` of a pod. */
export function podText({ metadata }: KubernetesObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
