/** Addresses and ports; no address means every one. */
export interface ResolvedPlaces {
  readonly cidrs: readonly string[];
  readonly ports: readonly number[];
}

/** `spec.networkPolicy` with every default filled in. */
export interface ResolvedNetworkPolicy {
  readonly apiServer: ResolvedPlaces;
  readonly dns: {
    readonly namespace: string;
    readonly podLabels: Readonly<Record<string, string>>;
    /** Beside the pods. */
    readonly cidrs: readonly string[];
    readonly ports: readonly number[];
  };
  /** Namespaces whose pods may read metrics. */
  readonly monitoring: readonly string[];
  /** What belongs to the mesh outside of the cluster. */
  readonly meshCidrs: readonly string[];
  /** Absent: nowhere. */
  readonly jwks?: ResolvedPlaces;
}
