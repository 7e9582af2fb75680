import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { RevisionUse } from '../../api/mesh-operator-status.ts';
import { followedRevision } from './observed-pods.ts';

const maxNamespaces = 100;

/** Counts, of pods with a proxy, which revisions they follow; each pod once, however often it is shown. */
export class RevisionUseCount {
  readonly #seen = new Set<string>();
  readonly #byRevision = new Map<string, { pods: number; readonly namespaces: Set<string> }>();

  /** A pod that does not say whom it follows is not counted. */
  add(pod: KubernetesObject): void {
    const revision = followedRevision(pod);
    const { uid = '', namespace = '' } = pod.metadata;
    if (revision === undefined || this.#seen.has(uid)) return;
    this.#seen.add(uid);
    const use = this.#byRevision.get(revision) ?? { pods: 0, namespaces: new Set() };
    this.#byRevision.set(revision, use);
    use.pods += 1;
    use.namespaces.add(namespace);
  }

  /** By name of the revision. */
  get revisions(): RevisionUse[] {
    return [...this.#byRevision]
      .map(([name, { pods, namespaces }]) => ({
        ...{ name, pods },
        namespaces: [...namespaces].sort().slice(0, maxNamespaces),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
