import { idOf, type KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { messageOf } from '../../src/base/errors.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { never } from './test-client.ts';

/** What became of the pods of a load. */
export interface PodLoadReport {
  /** Pods that were created with a sidecar. */
  injected: number;
  /** Pods that were created without. */
  bare: number;
  /** What the API server said of each pod that it refused. */
  readonly refused: string[];
}

const pauseMs = 25;

/**
 * Creates pods in a namespace, one after the other on each of its lines, and deletes each at once. No node can take
 * them: injection happens when a pod is created.
 */
export class PodLoad {
  readonly report: PodLoadReport = { injected: 0, bare: 0, refused: [] };
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #lines: Promise<void>[];
  #isStopped = false;

  constructor(client: KubeClient, namespace: string, lines: number) {
    this.#client = client;
    this.#namespace = namespace;
    this.#lines = Array.from({ length: lines }, () => this.#run());
  }

  /** Resolves when one more pod has been created or refused. */
  async next(): Promise<void> {
    const before = this.#total();
    await waitUntil({ what: 'the next pod is created or refused' }, async () => {
      return this.#total() > before;
    });
  }

  /** Resolves when the last pod has been created and deleted. */
  async stop(): Promise<PodLoadReport> {
    this.#isStopped = true;
    await Promise.all(this.#lines);
    return this.report;
  }

  #total(): number {
    const { injected, bare, refused } = this.report;
    return injected + bare + refused.length;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#createOne();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #createOne(): Promise<void> {
    let pod: KubernetesObject;
    try {
      pod = await this.#client.create(unschedulablePod(this.#namespace), { fieldManager: 'test' }, never);
    } catch (error) {
      this.report.refused.push(messageOf(error));
      return;
    }
    this.report[isInjected(pod) ? 'injected' : 'bare'] += 1;
    await this.#client.delete(idOf(pod), {}, never);
  }
}

/** True for a pod that an injector has given a sidecar. */
export function isInjected(pod: KubernetesObject): boolean {
  return pod.metadata.annotations?.['sidecar.istio.io/status'] !== undefined;
}

/** The spec of a pod that no node takes. */
export const unschedulablePodSpec = {
  nodeSelector: { 'example.com/no-node': 'has-this' },
  terminationGracePeriodSeconds: 0,
  containers: [{ name: 'app', image: 'app' }],
};

function unschedulablePod(namespace: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'load-', namespace } as unknown as KubernetesObject['metadata'],
    spec: unschedulablePodSpec,
  };
}
