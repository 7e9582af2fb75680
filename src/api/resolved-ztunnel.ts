import type { JsonObject, ResolvedPods } from './resolved-mesh.ts';

/** The proxy that the ambient pods of each node share, with every default filled in. */
export interface ResolvedZtunnel extends ResolvedPods {
  readonly enabled: boolean;
  /** Where it runs, or would: istiod lets it ask for certificates of others by this. */
  readonly namespace: string;
  /** Complete image reference. */
  readonly image: string;
  readonly network: string;
  /** host:port of the authority, and of what configures it. */
  readonly addresses: { readonly authority: string; readonly discovery: string };
  readonly logLevel: string;
  readonly logAsJson: boolean;
  /** Whether certificates are checked against the list of revoked ones. */
  readonly checksRevocation: boolean;
  readonly seLinuxOptions?: JsonObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly terminationGracePeriodSeconds: number;
  /** Pods that its ResourceQuota allows; absent when there is none. */
  readonly quota?: number;
}
