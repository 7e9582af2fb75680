import type { KindInfo } from '../api/kinds.ts';
import type { KubernetesObject, ObjectMeta } from '../api/kubernetes-object.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { NotFoundError, TransientError } from '../base/errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { GoneError } from '../kube/errors.ts';
import type { Logger } from '../observability/logger.ts';
import { type BackOffOptions, backOffMs, type RandomSource } from './back-off.ts';
import { type IndexFunction, ObjectStore, storeKey } from './object-store.ts';
import type { ServedKind } from './served-kind.ts';

/** One change of the cache. `old` is absent for a new object, `current` for one that is gone. */
export interface InformerEvent {
  /** `namespace/name`, or `name` for a cluster-scoped kind. */
  readonly key: string;
  readonly old: KubernetesObject | undefined;
  readonly current: KubernetesObject | undefined;
}

/** Called for each change; may do nothing but put keys into a workqueue. */
export type InformerHandler = (event: InformerEvent) => void;

export interface InformerOptions {
  readonly kind: KindInfo;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Nothing but the metadata of each object; default false. */
  readonly metadataOnly?: boolean;
  /** Of a kind that may not be there, or that nobody may want: while it is not followed, nothing is asked and the cache is empty. */
  readonly served?: ServedKind;
  /** Groups of an object for `byGroup`; default none. */
  readonly index?: IndexFunction;
  /** Drops from an object, before it is kept, what nobody reads; default `withoutStatusOwners`. */
  readonly transform?: (object: KubernetesObject) => KubernetesObject;
  /** Objects a page of a list; default 250. */
  readonly pageSize?: number;
  /** A watch that brings nothing for this long is taken for dead; default 100 s. */
  readonly watchIdleTimeoutMs?: number;
  /** Waits between failed tries; default 0.2 s doubling up to 5 s. */
  readonly backOff?: BackOffOptions;
}

export interface InformerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomSource;
}

const defaultPageSize = 250;
const defaultBackOff: BackOffOptions = { firstMs: 200, capMs: 5_000 };
/** The server ends a watch after 5 to 10 minutes, so that load spreads over its replicas again (as client-go). */
const minWatchSeconds = 300;

/**
 * Keeps all objects of one kind in memory by list and watch, and tells handlers what changed.
 * Survives expired versions (lists again), refusals (waits as told), dropped and silent watches (goes on from the
 * last version without a list) and outages (back-off with jitter). Never gives up until its signal is aborted.
 */
export class Informer {
  readonly kind: KindInfo;
  readonly #options: InformerOptions;
  readonly #deps: InformerDeps;
  readonly #backOff: BackOffOptions;
  readonly #store: ObjectStore;
  readonly #handlers: InformerHandler[] = [];
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  /** Where the watch goes on; undefined: list first. */
  #resourceVersion: string | undefined;
  #failures = 0;

  constructor(options: InformerOptions, deps: InformerDeps) {
    this.kind = options.kind;
    this.#options = options;
    this.#deps = deps;
    this.#backOff = options.backOff ?? defaultBackOff;
    this.#store = new ObjectStore(options.index ?? (() => []));
  }

  /** True once the first list is in the cache. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get size(): number {
    return this.#store.size;
  }

  /** Handlers are called in order, for every change after they were added. Add them before `run`. */
  addHandler(handler: InformerHandler): void {
    this.#handlers.push(handler);
  }

  /** The cached object: shared, so never change it. `namespace` is undefined for a cluster-scoped kind. */
  get(namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.#store.get(storeKey(namespace, name));
  }

  /** The cached objects of one group of the index, without looking at others. */
  byGroup(group: string): KubernetesObject[] {
    return this.#store.byGroup(group);
  }

  /** Every cached object; cost grows with their number. */
  values(): IterableIterator<KubernetesObject> {
    return this.#store.values();
  }

  /** Resolves after the first list; rejects with the signal's reason when aborted before. */
  waitForSync(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      void this.#synced.promise.then(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  /**
   * Takes the API server's answer to a write of ours, so that the next pass does not decide from an older object.
   * Ignored when the watch is already past that write: then the cache knows better, even if the object is not in it.
   */
  observeWrite(object: KubernetesObject): void {
    if (isOlder(this.#resourceVersion, object.metadata.resourceVersion)) {
      this.#putIfLater(keyOf(object.metadata), object);
    }
  }

  /** Lists and watches until `signal` is aborted; then resolves. Call it once. */
  async run(signal: AbortSignal): Promise<void> {
    const { served } = this.#options;
    if (served === undefined) return this.#follow(signal);
    await served.whenKnown(signal);
    while (!signal.aborted) {
      if (!served.isFollowed) this.#forget();
      await served.whileFollowed(signal, (whileFollowed) => this.#follow(whileFollowed));
    }
  }

  /** Of a kind that is not followed, nothing is known. */
  #forget(): void {
    for (const key of [...this.#store.keys()]) this.#drop(key);
    this.#resourceVersion = undefined;
    this.#markSynced();
  }

  #markSynced(): void {
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedAtMs = this.#deps.clock.monotonicMs();
      let failure: unknown;
      try {
        if (this.#resourceVersion === undefined) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (error instanceof GoneError) this.#resourceVersion = undefined;
        // A CRD that is not served, since it has just come or cannot be established.
        if (error instanceof NotFoundError && this.#options.served !== undefined) this.#forget();
        failure = error;
      }
      // A quiet watch that lived long was a success, even if it never brought an event.
      if (this.#deps.clock.monotonicMs() - startedAtMs > this.#backOff.capMs) this.#failures = 0;
      // Also after a normal end: a server that ends watches at once would otherwise be asked again at once.
      if (!signal.aborted) await this.#wait(failure, signal);
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { kind, namespace, labelSelector, fieldSelector, metadataOnly } = this.#options;
    const { pageSize = defaultPageSize } = this.#options;
    const seen = new Set<string>();
    let continueToken: string | undefined;
    let resourceVersion = '';
    do {
      const page = await this.#deps.client.list(
        kind,
        { namespace, labelSelector, fieldSelector, metadataOnly, limit: pageSize, continueToken },
        signal,
      );
      for (const object of page.items) {
        const key = keyOf(object.metadata);
        seen.add(key);
        if (this.#store.resourceVersionOf(key) !== object.metadata.resourceVersion) this.#put(key, object);
      }
      continueToken = page.continueToken;
      resourceVersion = page.resourceVersion;
    } while (continueToken !== undefined);

    for (const key of [...this.#store.keys()]) if (!seen.has(key)) this.#drop(key);
    this.#resourceVersion = resourceVersion;
    this.#markSynced();
    this.#deps.log.debug('Listed', { kind: kind.kind, objects: this.#store.size, resourceVersion });
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { kind, namespace, labelSelector, fieldSelector, metadataOnly, watchIdleTimeoutMs } = this.#options;
    const events = this.#deps.client.watch(
      kind,
      {
        namespace,
        labelSelector,
        fieldSelector,
        metadataOnly,
        resourceVersion: this.#resourceVersion ?? '',
        timeoutSeconds: Math.round(minWatchSeconds * (1 + this.#deps.random())),
        idleTimeoutMs: watchIdleTimeoutMs,
      },
      signal,
    );
    for await (const { type, object } of events) {
      this.#failures = 0;
      const key = keyOf(object.metadata);
      if (type === 'DELETED') this.#drop(key);
      else if (type !== 'BOOKMARK') this.#putIfLater(key, object);
      this.#resourceVersion = object.metadata.resourceVersion ?? this.#resourceVersion;
    }
  }

  #putIfLater(key: string, object: KubernetesObject): void {
    const held = this.#store.resourceVersionOf(key);
    if (held === undefined || isOlder(held, object.metadata.resourceVersion)) this.#put(key, object);
  }

  /** Without a look at versions: after a restore of etcd, a list may rightly bring older ones. */
  #put(key: string, object: KubernetesObject): void {
    const old = this.#store.get(key);
    const current = (this.#options.transform ?? withoutStatusOwners)(object);
    this.#store.set(key, current);
    this.#tell({ key, old, current });
  }

  #drop(key: string): void {
    const old = this.#store.get(key);
    if (old === undefined) return;
    this.#store.delete(key);
    this.#tell({ key, old, current: undefined });
  }

  #tell(event: InformerEvent): void {
    for (const handler of this.#handlers) {
      try {
        handler(event);
      } catch (error) {
        // A bug in one handler must not stop the cache of all others; it is logged with its key.
        this.#deps.log.error('Informer handler failed', { kind: this.kind.kind, key: event.key, error });
      }
    }
  }

  /** Waits after a try that failed, or after a watch that ended; not before the time the server named. */
  async #wait(error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    const backOff = backOffMs(this.#failures, this.#backOff, this.#deps.random);
    const waitMs = Math.max(backOff, (error instanceof TransientError && error.retryAfterMs) || 0);
    if (error !== undefined) {
      const log = error instanceof GoneError ? this.#deps.log.debug : this.#deps.log.warn;
      log('Informer interrupted', { kind: this.kind.kind, retryInMs: waitMs, error });
    }
    // Only the signal makes this reject, and `run` looks at the signal next.
    await sleep(this.#deps.clock, waitMs, signal).catch(() => undefined);
  }
}

/**
 * The object without the claims of status writers: they are as large as the status itself, change with each of its
 * updates, and no diff of ours looks at them. Of the other claims the instant is left out, so that equal claims of
 * many objects are equal texts.
 */
export function withoutStatusOwners(object: KubernetesObject): KubernetesObject {
  const claims = object.metadata.managedFields;
  if (claims === undefined) return object;
  const managedFields = claims
    .filter((claim) => claim.subresource === undefined || claim.subresource === '')
    .map(({ time: _time, ...claim }) => claim);
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

function keyOf(metadata: ObjectMeta): string {
  return storeKey(metadata.namespace, metadata.name);
}

/**
 * True when version `a` is older than `b`. Versions are decimal numbers that grow (Kubernetes API conventions since
 * 1.35 promise that they compare so); anything else counts as older, so that an event is never lost.
 */
function isOlder(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || !/^\d+$/.test(a) || !/^\d+$/.test(b)) return true;
  return a.length === b.length ? a < b : a.length < b.length;
}
