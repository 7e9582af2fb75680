/** What keeps a tenant apart, each by itself; `docs/guides/tenancy.md` says what is asked of each. */
export const isolationLayers = [
  'NetworkPolicy',
  'AuthorizationPolicy',
  'RBAC',
  'TrustRoots',
  'Discovery',
] as const;
export type IsolationLayer = (typeof isolationLayers)[number];

/** One way into a tenant or out of it (`open`), or something that a person should know who relies on a layer (`note`). */
export interface IsolationFinding {
  readonly layer: IsolationLayer;
  readonly severity: 'open' | 'note';
  /** Who gets through, as `Pod NAMESPACE/NAME`, `ServiceAccount NAMESPACE/NAME`, an address, or words. */
  readonly from: readonly string[];
  /** What is reached, likewise. */
  readonly to: readonly string[];
  /** Kind, namespace and name of what opens the way. */
  readonly object: string;
  /** Where in the object, as `spec.ingress[0]`; absent where nothing of it says so. */
  readonly path?: string;
  /** A sentence without its full stop. */
  readonly why: string;
  /** What to do, likewise. */
  readonly fix: string;
}

/** Somebody who may act in a tenant and is no finding, and the rule by which that is so. */
export interface PlatformSubject {
  readonly subject: string;
  readonly because: string;
}

/** What one layer says of a tenant. */
export interface LayerResult {
  readonly findings: readonly IsolationFinding[];
  /** Why it cannot be told, sentences without their full stop; empty where it can. */
  readonly unproven?: readonly string[];
  readonly platform?: readonly PlatformSubject[];
}
