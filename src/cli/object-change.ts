import { stableJson } from '../base/stable-json.ts';
import type { Drift } from '../kube/diff/drift.ts';

/** One field that would get another value. */
export interface FieldChange {
  /** `spec.template.spec.containers[name=discovery].image` */
  readonly path: string;
  /** Absent for a field that is not there yet, and for the content of a Secret. */
  readonly from?: unknown;
  /** Absent for a field that goes, and for the content of a Secret. */
  readonly to?: unknown;
  /** Field manager whose value it is now, when it is somebody else's. */
  readonly manager?: string;
}

/** What would happen to one object. */
export interface ObjectChange {
  /** Kind, namespace and name. */
  readonly object: string;
  /** `refuse`: it would not be written, and the mesh would be stuck there; `leave`: its annotation keeps it as it is. */
  readonly action: 'create' | 'change' | 'prune' | 'refuse' | 'leave';
  /** Of what is changed; empty when only the ownership of fields goes to the operator. */
  readonly fields?: readonly FieldChange[];
  /** True when its pods are made anew. */
  readonly restartsPods?: boolean;
  /** Why it is refused or left. */
  readonly why?: string;
}

/** What there is to say of drifts; a field whose value stays is none. */
export function fieldChanges(drifts: readonly Drift[]): FieldChange[] {
  return drifts
    .filter((drift) => !isOwnershipAlone(drift))
    .map(({ path, desired, observed, manager }) => ({
      path,
      ...(observed === undefined ? {} : { from: observed }),
      ...(desired === undefined ? {} : { to: desired }),
      ...(manager === undefined ? {} : { manager }),
    }));
}

function isOwnershipAlone({ kind, desired, observed }: Drift): boolean {
  return kind === 'changed' && desired !== undefined && stableJson(desired) === stableJson(observed);
}
