import { idOf, idText, type KubernetesObject, type ObjectId } from '../../api/kubernetes-object.ts';
import { ConflictError, TerminalError, WaitingError } from '../../base/errors.ts';
import { stableHash } from '../../base/stable-json.ts';
import type { JsonPatchOperation, KubeClient } from '../client.ts';
import { diffObject } from '../diff/diff-object.ts';
import type { Drift } from '../diff/drift.ts';
import { seedFromObserved, withoutNulls } from './desired-object.ts';
import { type FieldTakeOver, takeOverFields } from './take-over-fields.ts';
import { versionOfNone } from './version-of-none.ts';

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
  /** Let the API server, its webhooks included, answer as if it were written; default false. */
  readonly dryRun?: boolean;
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

  /** What `apply` would change of an object that is there. */
  driftOf(desired: KubernetesObject, observed: KubernetesObject): Drift[] {
    return this.#diff(seedFromObserved(withoutNulls(desired), observed), observed);
  }

  /**
   * Makes fields of other managers ours, so that the next `apply` removes those that we do not want; values stay as they
   * are. Gives the object as it is then. Throws ConflictError when it is no longer the observed one.
   */
  async takeOver(
    observed: KubernetesObject,
    takeOver: Omit<FieldTakeOver, 'to'>,
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    const { client, fieldManager, dryRun } = this.#deps;
    const managedFields = takeOverFields(observed, { ...takeOver, to: fieldManager });
    if (managedFields === undefined) return observed;
    // The next dry run would not see what this one did, so its answer is not asked for.
    if (dryRun === true) return { ...observed, metadata: { ...observed.metadata, managedFields } };
    const operations: JsonPatchOperation[] = [
      lockOn(observed),
      { op: 'replace', path: '/metadata/managedFields', value: managedFields },
    ];
    const object = await client.patch(
      idOf(observed),
      { type: 'json', operations },
      this.#writeOptions,
      signal,
    );
    this.#deps.onWrite?.(object);
    return object;
  }

  /** Writes nothing when an object of that name exists: without our label it may not be ours to change. */
  async #create(wanted: KubernetesObject, signal: AbortSignal): Promise<ApplyResult> {
    const onlyNew = { ...wanted, metadata: { ...wanted.metadata, resourceVersion: versionOfNone } };
    try {
      const object = await this.#applyOnServer(onlyNew, false, signal);
      this.#remember(idOf(wanted), wanted, object);
      return { outcome: 'created', object, drift: [], takenFrom: [] };
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return this.#adopt(wanted, error, signal);
    }
  }

  /** Goes on with an object that the cache did not have, if we have applied it before: then somebody took our label. */
  async #adopt(wanted: KubernetesObject, conflict: ConflictError, signal: AbortSignal): Promise<ApplyResult> {
    const id = idOf(wanted);
    const existing = await this.#deps.client.find(id, signal);
    if (existing === undefined) throw conflict;
    const claims = existing.metadata.managedFields ?? [];
    const isOurs = claims.some(
      (claim) => claim.manager === this.#deps.fieldManager && claim.operation === 'Apply',
    );
    if (isOurs) return this.apply(wanted, existing, signal);
    const managers = [...new Set(claims.map(({ manager }) => manager))].sort();
    const whose = managers.length === 0 ? '' : ` and is managed by ${managers.join(', ')}`;
    throw new TerminalError(`${idText(id)} exists already${whose}; delete it or give the mesh another name`, {
      reason: 'ObjectExists',
      cause: conflict,
    });
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
      .filter(({ kind }) => kind === 'extra')
      .map(({ pointer }) => pointer)
      .filter((pointer) => pointer !== undefined)
      .sort(fromTheBack)
      .map((path): JsonPatchOperation => ({ op: 'remove', path }));
    const object = await this.#deps.client.patch(
      id,
      { type: 'json', operations: [lockOn(observed), ...removals] },
      this.#writeOptions,
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
    const options = { ...this.#writeOptions, force };
    const object = await this.#deps.client.apply(wanted, options, signal);
    this.#deps.onWrite?.(object);
    return object;
  }

  /** A difference that our own write left is not written again until it changes: that would never end. */
  #remember(id: ObjectId, wanted: KubernetesObject, written: KubernetesObject): void {
    const residue = this.#diff(wanted, written);
    if (residue.length === 0) this.#residues.delete(idText(id));
    else this.#residues.set(idText(id), residueOf(wanted, residue));
  }

  get #writeOptions(): { readonly fieldManager: string; readonly dryRun: boolean } {
    const { fieldManager, dryRun = false } = this.#deps;
    return { fieldManager, dryRun };
  }

  #diff(wanted: KubernetesObject, observed: KubernetesObject): Drift[] {
    return diffObject(wanted, observed, { fieldManager: this.#deps.fieldManager });
  }
}

/** Lets a patch change the observed version of an object and no other. */
function lockOn(observed: KubernetesObject): JsonPatchOperation {
  return { op: 'replace', path: '/metadata/resourceVersion', value: observed.metadata.resourceVersion };
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
