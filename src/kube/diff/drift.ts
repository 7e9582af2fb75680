/** One place where an observed object is not what we want it to be. */
export interface Drift {
  /** `spec.template.spec.containers[name=discovery].image`. */
  readonly path: string;
  /**
   * `changed`: another value. `missing`: not there. `extra`: added by someone to a closed field.
   * `abandoned`: we applied it once and do not want it any more.
   */
  readonly kind: 'changed' | 'missing' | 'extra' | 'abandoned';
  /** Absent for extra and abandoned fields, and for the data of a Secret. */
  readonly desired?: unknown;
  /** Absent for missing fields, and for the data of a Secret. */
  readonly observed?: unknown;
  /** The field manager that owns the observed value, when it is not us and the API server says so. */
  readonly manager?: string;
  /** Extra and abandoned fields only: where it is in the observed object, as a JSON pointer (RFC 6901). */
  readonly pointer?: string;
}

/** One line about a drift, for an Event or a log: `spec.replicas changed by kubectl-edit`. Contains no values. */
export function driftText(drift: Drift): string {
  const by = drift.manager === undefined ? '' : ` by ${drift.manager}`;
  return `${drift.path} ${drift.kind === 'extra' ? 'added' : drift.kind}${by}`;
}
