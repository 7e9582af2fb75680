import { idOf, idText, type KubernetesObject, type ObjectId } from '../../api/kubernetes-object.ts';
import { TerminalError, WaitingError } from '../../base/errors.ts';
import { stableHash } from '../../base/stable-json.ts';
import type { JsonPatchOperation, KubeClient } from '../client.ts';
import { diffObject } from '../diff/diff-object.ts';
import type { Drift } from '../diff/drift.ts';
import { FieldConflictError } from '../errors.ts';
import { seedFromObserved, withoutNulls } from './desired-object.ts';

export interface ApplyResult {
  readonly outcome: 'unchanged' | 'created' | 'changed';
  /** The object as the API server has it now: the answer to the write, or `observed` itself. */
  readonly object: KubernetesObject;
  /** Why it was written; empty when unchanged or created. */
  readonly drift: readonly Drift[];
  /** Other field managers whose values were overwritten or removed, sorted; for an Event. */
  readonly takenFrom: readonly string[];
}

export interface ApplierDeps {
  readonly client: KubeClient;
  /** Our name in `metadata.managedFields`; one per controller. */
  readonly fieldManager: string;
  /** Called with the answer to each write; for `Informer.observeWrite`. */
  readonly onWrite?: (object: KubernetesObject) => void;
}

/** How soon to look again at an object that is still being deleted; its end usually wakes us before. */
const deletionRetryMs = 5_000;

/**
 * Brings single objects to what is desired by server-side apply, and writes only what differs (`diffObject`).
 * Our fields are ours: other managers lose them and are named in the result. Additions to closed fields are removed.
 * All other fields stay as they are.
 */
export class Applier {
  readonly #deps: ApplierDeps;
  /** What stayed different right after we wrote it: the API server (or a webhook) has its own mind there. */
  readonly #residues = new Map<string, string>();

  constructor(deps: ApplierDeps) {
    this.#deps = deps;
  }

  /**
   * `observed` is the cached object (with `metadata.managedFields`), undefined when the cache has none.
   * Throws TerminalError when the API server refuses the object, an immutable field differs, or an object of that
   * name exists that somebody else manages; WaitingError while it is being deleted.
   */
  async apply(
    desired: KubernetesObject,
    observed: KubernetesObject | undefined,
    signal: AbortSignal,
  ): Promise<ApplyResult> {
    if (observed === undefined) return this.#create(withoutNulls(desired), signal);
    const id = idOf(desired);
    const wanted = seedFromObserved(withoutNulls(desired), observed);
    const drift = this.#diff(wanted, observed);
    if (drift.length === 0) {
      this.#residues.delete(idText(id));
      return { outcome: 'unchanged', object: observed, drift: [], takenFrom: [] };
    }
    if (observed.metadata.deletionTimestamp !== undefined) {
      throw new WaitingError(`${idText(id)} is being deleted; it is created anew once it is gone`, {
        reason: 'BeingDeleted',
        retryAfterMs: deletionRetryMs,
      });
    }
    if (this.#residues.get(idText(id)) === residueOf(wanted, drift)) {
      return { outcome: 'unchanged', object: observed, drift: [], takenFrom: [] };
    }
    const object = await this.#write(id, wanted, observed, drift, signal);
    return { outcome: 'changed', object, drift, takenFrom: managersOf(drift) };
  }

  /** Forgets what is remembered about an object; for after its deletion. */
  forget(id: ObjectId): void {
    this.#residues.delete(idText(id));
  }

  /** Not by force: an object of that name may exist without our label, and then it is not ours to change. */
  async #create(wanted: KubernetesObject, signal: AbortSignal): Promise<ApplyResult> {
    try {
      const object = await this.#applyOnServer(wanted, false, signal);
      this.#remember(idOf(wanted), wanted, object);
      const isNew = this.#wasJustCreated(object);
      return { outcome: isNew ? 'created' : 'changed', object, drift: [], takenFrom: [] };
    } catch (error) {
      if (!(error instanceof FieldConflictError)) throw error;
      return this.#adopt(wanted, error, signal);
    }
  }

  /**
   * True when our claim is as old as the object. A new object may have claims of the API server's own too, and one
   * without any field has none of ours.
   */
  #wasJustCreated({ metadata }: KubernetesObject): boolean {
    const ours = metadata.managedFields?.find((claim) => claim.manager === this.#deps.fieldManager);
    return ours === undefined || ours.time === metadata.creationTimestamp;
  }

  /** Goes on with an object that the cache did not have, if we have applied it before: then somebody took our label. */
  async #adopt(
    wanted: KubernetesObject,
    conflict: FieldConflictError,
    signal: AbortSignal,
  ): Promise<ApplyResult> {
    const id = idOf(wanted);
    const existing = await this.#deps.client.get(id, signal);
    const isOurs = existing.metadata.managedFields?.some(
      (claim) => claim.manager === this.#deps.fieldManager && claim.operation === 'Apply',
    );
    if (isOurs) return this.apply(wanted, existing, signal);
    const managers = [...new Set(conflict.conflicts.map(({ manager }) => manager))].sort();
    const fields = conflict.conflicts.map(({ field }) => field);
    throw new TerminalError(
      `${idText(id)} exists already and is managed by ${managers.join(', ')} (${shortList(fields)}); ` +
        'delete it or give the mesh another name',
      { reason: 'ObjectExists', cause: conflict },
    );
  }

  async #write(
    id: ObjectId,
    wanted: KubernetesObject,
    observed: KubernetesObject,
    drift: readonly Drift[],
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    let object = observed;
    if (drift.some(({ kind }) => kind === 'extra')) {
      object = await this.#removeExtras(id, observed, drift, signal);
    }
    if (object === observed || this.#diff(wanted, object).length > 0) {
      object = await this.#applyOnServer(wanted, true, signal);
    }
    this.#remember(id, wanted, object);
    return object;
  }

  /** Server-side apply cannot remove what another manager owns, so additions go by a patch of exactly this version. */
  async #removeExtras(
    id: ObjectId,
    observed: KubernetesObject,
    drift: readonly Drift[],
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    const removals = drift
      .map(({ pointer }) => pointer)
      .filter((pointer) => pointer !== undefined)
      .sort(fromTheBack)
      .map((path): JsonPatchOperation => ({ op: 'remove', path }));
    const lock: JsonPatchOperation = {
      op: 'replace',
      path: '/metadata/resourceVersion',
      value: observed.metadata.resourceVersion,
    };
    const object = await this.#deps.client.patch(
      id,
      { type: 'json', operations: [lock, ...removals] },
      { fieldManager: this.#deps.fieldManager },
      signal,
    );
    this.#deps.onWrite?.(object);
    return object;
  }

  async #applyOnServer(
    wanted: KubernetesObject,
    force: boolean,
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    const object = await this.#deps.client.apply(
      wanted,
      { fieldManager: this.#deps.fieldManager, force },
      signal,
    );
    this.#deps.onWrite?.(object);
    return object;
  }

  /** A difference that our own write left is not written again until it changes: that would never end. */
  #remember(id: ObjectId, wanted: KubernetesObject, written: KubernetesObject): void {
    const residue = this.#diff(wanted, written);
    if (residue.length === 0) this.#residues.delete(idText(id));
    else this.#residues.set(idText(id), residueOf(wanted, residue));
  }

  #diff(wanted: KubernetesObject, observed: KubernetesObject): Drift[] {
    return diffObject(wanted, observed, { fieldManager: this.#deps.fieldManager });
  }
}

/** Orders JSON pointers so that a removal does not move what is still to be removed: last items of a list first. */
function fromTheBack(a: string, b: string): number {
  return b.localeCompare(a, 'en', { numeric: true });
}

function residueOf(wanted: KubernetesObject, drift: readonly Drift[]): string {
  return stableHash([wanted, drift]);
}

function managersOf(drift: readonly Drift[]): string[] {
  return [...new Set(drift.map(({ manager }) => manager).filter((manager) => manager !== undefined))].sort();
}

function shortList(items: readonly string[]): string {
  const shown = items.slice(0, 3).join(', ');
  return items.length > 3 ? `${shown} and ${items.length - 3} more` : shown;
}
