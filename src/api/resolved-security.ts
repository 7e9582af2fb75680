import type { ResolvedPrometheus } from './resolved-prometheus.ts';
import type { Allow, Jwt, Mtls } from './spec/security.ts';

export type MtlsMode = NonNullable<Mtls['mode']>;

/** Where a policy counts: pods of one namespace, all of which or those with labels. In the root namespace it is the whole mesh. */
export interface PolicyTarget {
  readonly name: string;
  readonly namespace: string;
  /** Absent: all pods. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ResolvedPeerPolicy extends PolicyTarget {
  /** Absent: that of the namespace. */
  readonly mode?: MtlsMode;
  readonly ports: readonly { readonly port: number; readonly mode: MtlsMode }[];
}

export interface ResolvedAllow extends PolicyTarget {
  /** Absent: everybody. */
  readonly from?: Allow['from'];
  /** Absent: everything. */
  readonly to?: Allow['to'];
}

export interface ResolvedJwt extends PolicyTarget {
  readonly rule: Pick<Jwt, 'issuer' | 'jwksUri' | 'jwks' | 'audiences' | 'fromHeaders'> & {
    readonly forward: boolean;
  };
  readonly required: boolean;
}

/** The way out of the mesh. */
export interface ResolvedEgress {
  readonly gateway: string;
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
}

/** How `STRICT` comes to where plaintext is taken. */
export interface ResolvedMigration extends ResolvedPrometheus {
  readonly onPlaintext: 'Wait' | 'Ignore';
}

/** `spec.security` with every default filled in. */
export interface ResolvedSecurity {
  readonly peers: readonly ResolvedPeerPolicy[];
  /** Absent: policies of peers are in force at once. */
  readonly migration?: ResolvedMigration;
  readonly defaultDeny: boolean;
  readonly allow: readonly ResolvedAllow[];
  readonly jwt: readonly ResolvedJwt[];
  readonly egress?: ResolvedEgress;
}
