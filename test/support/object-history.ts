import { kindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject, ObjectId } from '../../src/api/kubernetes-object.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { never } from './test-client.ts';

/** Every version of one object that there was, by a watch: none is missed, however soon the next one follows. */
export class ObjectHistory {
  readonly #versions: KubernetesObject[] = [];
  readonly #client: KubeClient;
  readonly #id: ObjectId;
  readonly #stop = new AbortController();
  #ended: Promise<unknown> = Promise.resolve();

  private constructor(client: KubeClient, id: ObjectId) {
    this.#client = client;
    this.#id = id;
  }

  /** Begins with the version that is there now, if there is one. */
  static async follow(client: KubeClient, id: ObjectId): Promise<ObjectHistory> {
    const history = new ObjectHistory(client, id);
    const one = { namespace: id.namespace, fieldSelector: `metadata.name=${id.name}` };
    const { items, resourceVersion } = await client.list(history.#kind, one, never);
    history.#versions.push(...items);
    history.#ended = history.#watch(resourceVersion, one).catch((error: unknown) => error);
    return history;
  }

  /** Returns every version, oldest first, once that which the API server has now is among them. */
  async upToDate(): Promise<readonly KubernetesObject[]> {
    const { resourceVersion } = (await this.#client.get(this.#id, never)).metadata;
    await waitUntil({ what: `the watch of ${this.#name} is up to date` }, async () => {
      return this.#versions.some(({ metadata }) => metadata.resourceVersion === resourceVersion);
    });
    return this.#versions;
  }

  /** Stops watching. Throws when the watch had ended before, so that versions could be missing. */
  async stop(): Promise<void> {
    const reason = new Error('the history is complete');
    this.#stop.abort(reason);
    const end = await this.#ended;
    if (end !== reason) throw new Error(`the watch of ${this.#name} has broken`, { cause: end });
  }

  get #kind() {
    return kindInfo(this.#id.apiVersion, this.#id.kind);
  }

  get #name(): string {
    return `${this.#id.kind} ${this.#id.name}`;
  }

  async #watch(resourceVersion: string, one: { namespace?: string | undefined; fieldSelector: string }) {
    const watch = this.#client.watch(this.#kind, { ...one, resourceVersion }, this.#stop.signal);
    for await (const { type, object } of watch) {
      if (type === 'ADDED' || type === 'MODIFIED') this.#versions.push(object);
    }
  }
}
