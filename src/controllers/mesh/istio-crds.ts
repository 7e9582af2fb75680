import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { diffObject } from '../../kube/diff/diff-object.ts';
import type { Drift } from '../../kube/diff/drift.ts';
import { istioCrdsVersionAnnotation } from '../../render/istio-crds.ts';
import type { Informer } from '../../runtime/informer.ts';
import { crdManager } from './field-managers.ts';

/** Set on a cached CRD in the place of its spec: whether it is as we want it. */
const inSyncField = 'isInSync';

export interface IstioCrdsDeps {
  readonly client: KubeClient;
  /** Over CRDs that carry our label, with `cachedCrd` as transform. */
  readonly informer: Informer;
  /** What Istio's published module says, with our labels. */
  readonly desired: readonly KubernetesObject[];
}

/**
 * Keeps Istio's CRDs as the supported version needs them. They belong to the cluster: all meshes share them, none
 * has them in its inventory, and they are never pruned, since that would delete every Istio object of every user.
 */
export class IstioCrds {
  readonly #deps: IstioCrdsDeps;
  /** Passes of several meshes at once share one round. */
  #running: Promise<void> | undefined;

  constructor(deps: IstioCrdsDeps) {
    this.#deps = deps;
  }

  /** Applies those that are missing or differ; no request when all are as they should be. */
  async ensure(signal: AbortSignal): Promise<void> {
    const wanting = this.#deps.desired.filter((crd) => !this.#isInSync(crd));
    if (wanting.length === 0) return;
    this.#running ??= this.#apply(wanting, signal).finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  #isInSync(crd: KubernetesObject): boolean {
    return this.#deps.informer.get(undefined, crd.metadata.name)?.[inSyncField] === true;
  }

  async #apply(crds: readonly KubernetesObject[], signal: AbortSignal): Promise<void> {
    const options = { fieldManager: crdManager, force: true };
    const applied = await Promise.all(crds.map((crd) => this.#deps.client.apply(crd, options, signal)));
    for (const crd of applied) this.#deps.informer.observeWrite(crd);
  }
}

/**
 * A transform for the informer: all CRDs together are half a megabyte, and all that is asked of a cached one is
 * whether it differs from what we want, so that is decided when it arrives.
 */
export function cachedCrd(
  desired: readonly KubernetesObject[],
): (observed: KubernetesObject) => KubernetesObject {
  const byName = new Map(desired.map((crd) => [crd.metadata.name, crd]));
  return (observed) => {
    const wanted = byName.get(observed.metadata.name);
    const { managedFields: _claims, ...metadata } = observed.metadata;
    const isInSync = wanted !== undefined && crdDrift(wanted, observed).length === 0;
    return { apiVersion: observed.apiVersion, kind: observed.kind, metadata, [inSyncField]: isInSync };
  };
}

/** True when a CRD went from in sync to something else, or is gone: meshes need a pass. */
export function isCrdLost(old: KubernetesObject | undefined, current: KubernetesObject | undefined): boolean {
  return isRecord(old) && old[inSyncField] === true && current?.[inSyncField] !== true;
}

/** Where a CRD is not as we want it; empty for a newer one, which is left alone. */
export function crdDrift(wanted: KubernetesObject, observed: KubernetesObject): Drift[] {
  return isNewer(observed, wanted) ? [] : diffObject(wanted, observed, { fieldManager: crdManager });
}

/** Newer CRDs serve older istiods, but not the other way: a newer operator's are left alone. */
function isNewer(left: KubernetesObject, right: KubernetesObject): boolean {
  const [a, b] = [left, right].map((crd) => crd.metadata.annotations?.[istioCrdsVersionAnnotation] ?? '0');
  return byNumbers.compare(a ?? '', b ?? '') > 0;
}

/** Made once: a collator costs a millisecond. */
const byNumbers = new Intl.Collator('en', { numeric: true });
