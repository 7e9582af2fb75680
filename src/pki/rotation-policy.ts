/** What a rotation replaces: `root` both root and intermediate, `intermediate` the latter alone. */
export const rotationKinds = ['root', 'intermediate'] as const;
export type RotationKind = (typeof rotationKinds)[number];

/** When one kind of certificate is replaced. */
export interface TriggerPolicy {
  /** A cron schedule of five fields, UTC; absent: by lifetime alone. */
  readonly schedule?: string;
  /** Of those that are made from now on. */
  readonly lifetimeMs: number;
  /** Replaced when this fraction of its lifetime is left; more than 0 and less than 1. */
  readonly threshold: number;
}

/** When an authority is replaced, and how patiently. */
export interface RotationPolicy {
  readonly root: TriggerPolicy;
  readonly intermediate: TriggerPolicy;
  /**
   * Who signs intermediates in our place; absent when we do. The root is then the issuer's: none is due by itself, and
   * what an order brings decides the kind of the rotation.
   */
  readonly issuer?: string;
  /** How long every gate of a phase must have been open before it ends. */
  readonly soakMs: number;
  /**
   * How long another cluster may keep a phase from ending; absent: for as long as it takes. It is left behind then, and
   * trusts what it trusts until its operator is heard again.
   */
  readonly proceedAfterMs?: number;
  /** No rotation begins and none goes on; roots of other clusters come and go. */
  readonly isPaused: boolean;
}
