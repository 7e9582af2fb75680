import { replicaPods } from '../../api/istiod-replicas.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import { observeReplicas, type ReplicaAnswer } from './observe-replicas.ts';

export interface IstiodReplicasDeps {
  readonly exec: Pick<PodExec, 'run'>;
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
}

type Answers = Promise<readonly ReplicaAnswer[]>;

/** Asks the istiods of namespaces what they know of other clusters, for all who ask at about the same time at once. */
export class IstiodReplicas {
  readonly #deps: IstiodReplicasDeps;
  /** By namespace: who is being asked, and who will be as soon as that has ended. */
  readonly #running = new Map<string, Answers>();
  readonly #next = new Map<string, Answers>();

  constructor(deps: IstiodReplicasDeps) {
    this.#deps = deps;
  }

  /** What replicas say that are asked from now on: never what they have been asked before. */
  async observe(namespace: string, signal: AbortSignal): Promise<readonly ReplicaAnswer[]> {
    signal.throwIfAborted();
    const next = this.#next.get(namespace);
    // Whoever asks may be stopped: then they are asked again.
    if (next !== undefined) return (await next.catch(() => undefined)) ?? this.observe(namespace, signal);
    const answers = this.#ask(namespace, signal);
    this.#next.set(namespace, answers);
    return answers;
  }

  async #ask(namespace: string, signal: AbortSignal): Answers {
    await this.#running.get(namespace)?.catch(() => undefined);
    const answers = this.#next.get(namespace) as Answers;
    this.#next.delete(namespace);
    this.#running.set(namespace, answers);
    try {
      const { podsIn, exec } = this.#deps;
      return await observeReplicas(replicaPods(podsIn(namespace)), exec, signal);
    } finally {
      this.#running.delete(namespace);
    }
  }
}
