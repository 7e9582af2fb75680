import type { KeyAlgorithm } from './key-algorithms.ts';
import type { ResolvedBundleSource } from './resolved-bundle-source.ts';
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

/** An authority that neither istiod nor we have a part in. */
export interface ResolvedExternalAuthority {
  /** host:port that proxies ask for certificates. */
  readonly address: string;
  /** Its roots: what the user names, or what the authority itself writes into the namespace of the mesh. */
  readonly bundle: ResolvedBundleSource;
  /** Whether we bring the bundle to every namespace of the mesh; otherwise the authority does. */
  readonly distributes: boolean;
}

/** SPIRE, which issues the certificates of workloads, while the authority that we keep is istiod's alone. */
export interface ResolvedSpire {
  readonly csiDriver: string;
  readonly bundle: ResolvedBundleSource;
  /** Whether the user names the bundle: then it must be there. */
  readonly isBundleNamed: boolean;
}

/** An issuer of cert-manager, with every default filled in. */
export interface ResolvedIssuer {
  readonly name: string;
  readonly kind: 'Issuer' | 'ClusterIssuer';
  readonly group: string;
}

/** Who signs the certificates of a mesh, with every default filled in. */
export interface ResolvedAuthority {
  /** False when we keep none: istiod signs by itself, another authority does, or there is none. */
  readonly enabled: boolean;
  readonly provider: 'SelfSigned' | 'PluggedIn' | 'CertManager' | 'External' | 'Spire' | 'Istiod';
  /** Of the Secret with the user's material; present for `PluggedIn`. */
  readonly secretName?: string;
  /** Who signs intermediates; present for `CertManager`. */
  readonly issuer?: ResolvedIssuer;
  /** Present for `External`, unless there is no control plane. */
  readonly external?: ResolvedExternalAuthority;
  /** The roots of the cluster with the istiod, as its operator brings them; present where the mesh follows that. */
  readonly followed?: ResolvedBundleSource;
  /** Present for `Spire`. */
  readonly spire?: ResolvedSpire;
  readonly root: ResolvedAuthorityCertificate;
  readonly intermediate: ResolvedAuthorityCertificate;
  readonly soakMs: number;
  /** How long another cluster may hold a phase; absent: for as long as it takes. */
  readonly proceedAfterMs?: number;
  readonly paused?: PauseSpec;
}
