import type { KeyAlgorithm } from './key-algorithms.ts';
import type { PauseSpec } from './spec/pause.ts';

/** A root or intermediate to make, and when to replace it. */
export interface ResolvedAuthorityCertificate {
  readonly algorithm: KeyAlgorithm;
  readonly lifetimeMs: number;
  /** Five cron fields, UTC; absent: by lifetime alone. */
  readonly schedule?: string;
  /** Replaced when less than this fraction of its lifetime is left. */
  readonly threshold: number;
}

/** Who signs the certificates of a mesh, with every default filled in. */
export interface ResolvedAuthority {
  /** False when we have no part in it: istiod signs by itself, or there is none. */
  readonly enabled: boolean;
  readonly provider: 'SelfSigned' | 'PluggedIn' | 'Istiod';
  /** Of the Secret with the user's material; present for `PluggedIn`. */
  readonly secretName?: string;
  readonly root: ResolvedAuthorityCertificate;
  readonly intermediate: ResolvedAuthorityCertificate;
  readonly soakMs: number;
  readonly paused?: PauseSpec;
}
