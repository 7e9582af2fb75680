import { kindInfo } from '../../src/api/kinds.ts';
import type { ObjectId } from '../../src/api/kubernetes-object.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { secretTexts } from '../../src/kube/secret-data.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { never } from './test-client.ts';

const secretKind = kindInfo('v1', 'Secret');

/** Every version of one Secret that there was, by a watch: none is missed, however soon the next one follows. */
export class SecretHistory {
  /** The texts of each version, oldest first. */
  readonly versions: Record<string, string>[] = [];
  readonly #client: KubeClient;
  readonly #id: ObjectId;
  readonly #stop = new AbortController();
  #lastVersion = '';
  #ended: Promise<unknown> = Promise.resolve();

  private constructor(client: KubeClient, id: ObjectId) {
    this.#client = client;
    this.#id = id;
  }

  /** Begins with the version that is there now, if there is one. */
  static async follow(client: KubeClient, id: ObjectId): Promise<SecretHistory> {
    const history = new SecretHistory(client, id);
    const one = { namespace: id.namespace, fieldSelector: `metadata.name=${id.name}` };
    const { items, resourceVersion } = await client.list(secretKind, one, never);
    for (const secret of items) history.#add(secret);
    history.#ended = history.#watch(resourceVersion, one).catch((error: unknown) => error);
    return history;
  }

  /** Returns once the version that the API server has now is the last one. */
  async upToDate(): Promise<readonly Record<string, string>[]> {
    const { resourceVersion } = (await this.#client.get(this.#id, never)).metadata;
    await waitUntil({ what: `the watch of Secret ${this.#id.name} is up to date` }, async () => {
      return this.#lastVersion === resourceVersion;
    });
    return this.versions;
  }

  /** Stops watching. Throws when the watch had ended before, so that versions could be missing. */
  async stop(): Promise<void> {
    const reason = new Error('the history is complete');
    this.#stop.abort(reason);
    const end = await this.#ended;
    if (end !== reason) throw new Error(`the watch of Secret ${this.#id.name} has broken`, { cause: end });
  }

  async #watch(resourceVersion: string, one: { namespace?: string | undefined; fieldSelector: string }) {
    const watch = this.#client.watch(secretKind, { ...one, resourceVersion }, this.#stop.signal);
    for await (const { type, object } of watch) {
      if (type === 'ADDED' || type === 'MODIFIED') this.#add(object);
    }
  }

  #add(secret: Parameters<typeof secretTexts>[0]): void {
    this.versions.push(secretTexts(secret));
    this.#lastVersion = secret.metadata.resourceVersion ?? '';
  }
}
