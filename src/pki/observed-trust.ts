/** One replica of istiod, by what its metrics say of the bundle it has loaded. */
export interface ObservedReplica {
  /** `namespace/name` of its pod. */
  readonly pod: string;
  /** End of the first certificate of `root-cert.pem`, in whole seconds since 1970. */
  readonly rootNotAfter?: number;
  /** End of the first certificate of `cert-chain.pem`. */
  readonly chainNotAfter?: number;
  /** Why it could not be asked; then nothing of it is known. */
  readonly problem?: string;
}

/** A copy of the trust bundle: a root ConfigMap or the `caBundle` of a webhook. */
export interface ObservedBundle {
  /** As a person finds it: `ConfigMap shop/istio-ca-root-cert`. */
  readonly where: string;
  /** Fingerprints. */
  readonly roots: ReadonlySet<string>;
}

/** One proxy, by what its Envoy says of its secrets. */
export interface ObservedProxy {
  /** `namespace/name` of its pod. */
  readonly pod: string;
  /** Fingerprints of the roots it trusts. */
  readonly roots: ReadonlySet<string>;
  /** Fingerprint of the intermediate that has issued its certificate; absent when none of ours has. */
  readonly signer?: string;
  /** Why it could not be asked; then nothing of it is known. */
  readonly problem?: string;
}

/** What is seen of a mesh in one pass. */
export interface ObservedTrust {
  readonly replicas: readonly ObservedReplica[];
  readonly bundles: readonly ObservedBundle[];
  /** Asked after every replica was seen to have loaded what it should: absent while one has not. */
  readonly proxies?: readonly ObservedProxy[];
}
