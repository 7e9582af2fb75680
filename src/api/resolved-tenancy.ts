import type { LabelSelector } from './resolved-injection.ts';
import type { JsonObject } from './resolved-mesh.ts';
import type { TenantEgress } from './spec/tenancy.ts';

/** A host outside that members of a tenant may call. */
export interface ResolvedAllowance {
  readonly host: string;
  readonly ports: readonly TenantEgress['ports'][number][];
  /** Its addresses; empty: any. */
  readonly cidrs: readonly string[];
}

/** `spec.tenancy` with every default filled in. */
export interface ResolvedTenancy {
  readonly tenant: string;
  readonly members: {
    /** Absent: none by label. */
    readonly selector?: LabelSelector;
    readonly namespaces: readonly string[];
  };
  readonly isolation: 'Strict' | 'Open';
  /** Hosts outside that members may call. */
  readonly egress: readonly ResolvedAllowance[];
  /** `spec.hard` of a ResourceQuota; empty for none. */
  readonly quota: Readonly<Record<string, string>>;
  /** `spec.limits` of a LimitRange; empty for none. */
  readonly limits: readonly JsonObject[];
}
