import type { LabelSelector } from './resolved-injection.ts';
import type { JsonObject } from './resolved-mesh.ts';

/** `spec.tenancy` with every default filled in. */
export interface ResolvedTenancy {
  readonly tenant: string;
  readonly members: {
    /** Absent: none by label. */
    readonly selector?: LabelSelector;
    readonly namespaces: readonly string[];
  };
  readonly isolation: 'Strict' | 'Open';
  /** `spec.hard` of a ResourceQuota; empty for none. */
  readonly quota: Readonly<Record<string, string>>;
  /** `spec.limits` of a LimitRange; empty for none. */
  readonly limits: readonly JsonObject[];
}
