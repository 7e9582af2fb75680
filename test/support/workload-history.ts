import { kindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { unhealthiness } from '../../src/controllers/mesh/object-health.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { containerOf, type PodTemplate } from './rendered-objects.ts';
import { never } from './test-client.ts';

/** A version of a Deployment or DaemonSet that there was. */
export interface WorkloadVersion {
  readonly name: string;
  /** Of its first container. */
  readonly image: string;
  /** Whether all its pods were of this version, and ready. */
  readonly isComplete: boolean;
  readonly isGone: boolean;
  /** Counts up through everything that happens in a cluster. */
  readonly at: number;
}

/** Everything that happens to the Deployments and DaemonSets of a namespace, by watches, so that nothing is missed. */
export class WorkloadHistory {
  readonly #versions: WorkloadVersion[] = [];
  readonly #stop = new AbortController();

  static async follow(client: KubeClient, namespace: string): Promise<WorkloadHistory> {
    const history = new WorkloadHistory();
    for (const kind of [kindInfo('apps/v1', 'Deployment'), kindInfo('apps/v1', 'DaemonSet')]) {
      const { resourceVersion } = await client.list(kind, { namespace }, never);
      const watch = client.watch(kind, { namespace, resourceVersion }, history.#stop.signal);
      void history.#add(watch).catch(() => {});
    }
    return history;
  }

  /** The first version of a workload that is so; waits for it. */
  async first(
    name: string,
    what: string,
    isMeant: (version: WorkloadVersion) => boolean,
  ): Promise<WorkloadVersion> {
    return waitUntil({ what: `${name} ${what}` }, async () =>
      this.#versions.find((version) => version.name === name && isMeant(version)),
    );
  }

  stop(): void {
    this.#stop.abort(new Error('the history is complete'));
  }

  async #add(
    watch: AsyncIterable<{ readonly type: string; readonly object: KubernetesObject }>,
  ): Promise<void> {
    for await (const { type, object } of watch) {
      if (type === 'BOOKMARK') continue;
      this.#versions.push({
        name: object.metadata.name,
        image: String(containerOf(templateOf(object)).image),
        isComplete: unhealthiness(object) === undefined,
        isGone: type === 'DELETED',
        at: Number(object.metadata.resourceVersion),
      });
    }
  }
}

function templateOf({ spec }: KubernetesObject): PodTemplate {
  return (spec as { template: PodTemplate }).template;
}
