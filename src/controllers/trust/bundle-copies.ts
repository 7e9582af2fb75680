import { configMapEntry } from '../../api/config-map-entry.ts';
import { idOf } from '../../api/kubernetes-object.ts';
import { rootConfigMapKey, rootConfigMapName } from '../../api/resolve-authority.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { Clock } from '../../base/clock.ts';
import { NotFoundError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Informer } from '../../runtime/informer.ts';
import { discoveredNamespaces } from './discovered-namespaces.ts';
import { bundleManager } from './field-managers.ts';
import { type ContestedCopy, type CopyWrites, planCopies, recordWrite, stillCounts } from './plan-copies.ts';
import { bundleDigest, type RootConfigMap, readRootConfigMap, rootConfigMap } from './root-config-map.ts';

export interface BundleCopiesDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** All namespaces with their labels. */
  readonly namespaces: Informer;
  /** The root ConfigMaps of all namespaces, as `readRootConfigMap` reads them. */
  readonly rootConfigMaps: Informer;
}

/** How far the copies of a bundle have come. */
export interface CopyReport {
  readonly contested: readonly ContestedCopy[];
  /** More is to be written: come back at once. */
  readonly isUnfinished: boolean;
}

/** Each pass writes so many copies at most, so that none takes long. */
const writesOfAPass = 256;
const writesAtOnce = 16;

/**
 * The copies of an external authority's bundle: ConfigMap `istio-ca-root-cert` in each namespace that istiod would bring
 * its own to. Only what differs is written, and what somebody else writes as well is left to them after a few tries.
 */
export class BundleCopies {
  readonly #deps: BundleCopiesDeps;
  /** By control-plane namespace and then by namespace. */
  readonly #writes = new Map<string, Map<string, CopyWrites>>();

  constructor(deps: BundleCopiesDeps) {
    this.#deps = deps;
  }

  /** Brings the copies to this text; `rivals` are the other control-plane namespaces that do the same. */
  async bring(
    mesh: ResolvedMesh,
    pem: string,
    rivals: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<CopyReport> {
    const { clock, namespaces } = this.#deps;
    const discovered = discoveredNamespaces(mesh, namespaces.values());
    const nowMs = clock.monotonicMs();
    const writes = this.#writesOf(mesh.namespace, new Set(discovered), nowMs);
    const digest = bundleDigest(pem);
    const { write, contested } = planCopies({
      namespaces: discovered,
      copyIn: (namespace) => this.#copyIn(namespace),
      writesIn: (namespace) => writes.get(namespace),
      ...{ digest, owner: mesh.namespace, rivals, nowMs },
    });
    const now = write.slice(0, writesOfAPass);
    await this.#each(now, async (namespace) => {
      writes.set(namespace, recordWrite(writes.get(namespace), digest, clock.monotonicMs()));
      await this.#write(namespace, mesh.namespace, pem, signal);
    });
    return { contested, isUnfinished: now.length < write.length };
  }

  /** The text of the copy in the mesh's own namespace, asked of the API server; undefined when it is not one of ours. */
  async readOwn(namespace: string, signal: AbortSignal): Promise<string | undefined> {
    if (this.#copyIn(namespace)?.owner !== namespace) return undefined;
    const object = await this.#deps.client.find(idOf(rootConfigMap(namespace, namespace, '')), signal);
    return configMapEntry(object, rootConfigMapKey);
  }

  /** Removes every copy that was made for a control-plane namespace. */
  async remove(owner: string, signal: AbortSignal): Promise<void> {
    const { client, rootConfigMaps } = this.#deps;
    this.#writes.delete(owner);
    const copies = [...rootConfigMaps.values()].filter((copy) => readRootConfigMap(copy).owner === owner);
    await this.#each(copies, (copy) => client.delete(idOf(copy), {}, signal));
  }

  #copyIn(namespace: string): RootConfigMap | undefined {
    const object = this.#deps.rootConfigMaps.get(namespace, rootConfigMapName);
    return object === undefined ? undefined : readRootConfigMap(object);
  }

  /** By server-side apply, so that further entries of the ConfigMap stay, as istiod leaves them. */
  async #write(namespace: string, owner: string, pem: string, signal: AbortSignal): Promise<void> {
    const { client, rootConfigMaps } = this.#deps;
    const options = { fieldManager: bundleManager, force: true };
    try {
      rootConfigMaps.observeWrite(await client.apply(rootConfigMap(namespace, owner, pem), options, signal));
    } catch (error) {
      // The namespace has just gone.
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  /** A few at once; one that fails does not keep the others from being done, and is thrown in the end. */
  async #each<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
    const waiting = [...items];
    const failures: unknown[] = [];
    const one = async () => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
        await work(item).catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: Math.min(writesAtOnce, items.length) }, one));
    if (failures.length > 0) throw failures[0];
  }

  /** Of namespaces that have gone nothing is remembered: one of the same name begins anew. */
  #writesOf(owner: string, namespaces: ReadonlySet<string>, nowMs: number): Map<string, CopyWrites> {
    const known = [...(this.#writes.get(owner) ?? [])];
    const kept = known.filter(
      ([namespace, writes]) => namespaces.has(namespace) && stillCounts(writes, nowMs),
    );
    const writes = new Map(kept);
    this.#writes.set(owner, writes);
    return writes;
  }
}
