import type { RootOrder } from './root-order.ts';
import type { RotationKind } from './rotation-policy.ts';

/** Phases of a rotation in their order (`Stable` is before and after it). */
export const phases = ['Stable', 'Trusting', 'Signing', 'Distrusting'] as const;
export type Phase = (typeof phases)[number];

/** Why a rotation was begun. */
export type RotationReason =
  | 'Schedule'
  | 'Threshold'
  | 'Requested'
  | 'KeyCompromise'
  | 'Replaced'
  | 'Recovery';

/** A root certificate that the mesh trusts. */
export interface RootMaterial {
  /** One PEM certificate, self-signed. */
  readonly certPem: string;
  /** PKCS #8; absent when the root is kept elsewhere, as that of an adopted or plugged-in intermediate may be. */
  readonly keyPem?: string;
}

/** What istiod signs with. */
export interface IntermediateMaterial {
  /** One PEM certificate. */
  readonly certPem: string;
  /** PKCS #8 or what the user has given. */
  readonly keyPem: string;
  /** Itself first, then what is between it and the root, the root left out unless it is the root that signs. */
  readonly chainPem: string;
}

/** What signs now, what will, and what did until its last certificate is replaced. */
export interface Slots<Material> {
  readonly current: Material;
  readonly next?: Material;
  readonly previous?: Material;
}

/** A rotation under way. */
export interface Rotation {
  readonly kind: RotationKind;
  readonly reason: RotationReason;
  /** RFC 3339. */
  readonly startedAt: string;
  /** When the phase was entered, RFC 3339. */
  readonly phaseSince: string;
}

/** A rotation that has ended. */
export interface FinishedRotation extends Omit<Rotation, 'phaseSince'> {
  /** RFC 3339; not before it began, whatever became of the clock. */
  readonly finishedAt: string;
  /** From its start until no proxy was left that trusted (root) or carried (intermediate) the old one, in seconds. */
  readonly seconds: number;
}

/** An intermediate that was ordered. */
export interface OrderedIntermediate {
  /** Its issuer, as `RotationPolicy.issuer` names it. */
  readonly from: string;
  readonly fingerprint: string;
}

/** Another cluster of the mesh, as its operator was last heard. */
export interface TrustMember {
  readonly clusterName: string;
  /** Its roots that this cluster must trust, one PEM certificate each. */
  readonly roots: readonly string[];
  /** Whether it takes the roots of this cluster: then it must have them before they sign. */
  readonly takesOurs: boolean;
}

/** What an authority knows that has exchanged roots with other clusters. Fingerprints are those of `factsOf`. */
export interface Exchange {
  readonly members: readonly TrustMember[];
  /** What istiod is given as `root-cert.pem`. */
  readonly order: RootOrder;
  /** When it was, RFC 3339. */
  readonly since: string;
  /** Of these roots, those that every replica, bundle and proxy here was seen to hold. */
  readonly accepted: readonly string[];
  /** These roots, and those of texts before that somebody here may still hold. */
  readonly held: readonly string[];
}

/**
 * All that is known of the authority of one control-plane namespace: the content of its one Secret, so that each step is
 * one write. `next` is filled from Trusting (root) or Signing (intermediate alone) on; entering Distrusting moves
 * `current` to `previous` and `next` to `current`; returning to Stable empties `previous`.
 */
export interface AuthorityState {
  readonly phase: Phase;
  readonly roots: Slots<RootMaterial>;
  readonly intermediates: Slots<IntermediateMaterial>;
  /** Present unless Stable. */
  readonly rotation?: Rotation;
  readonly lastRotation?: FinishedRotation;
  /** When the last rotation of kind `root` finished, RFC 3339: intermediates that follow make no root older. */
  readonly rootRotatedAt?: string;
  /** The intermediate that was ordered last, whether it is still in use or not. */
  readonly ordered?: OrderedIntermediate;
  /** The last request (value of annotation `meshoperator.dev/rotate`) that was answered. */
  readonly answeredRequest?: string;
  /** Absent until the first root of another cluster is taken. */
  readonly exchange?: Exchange;
}
