import type { RemoteState, RemoteStatus } from '../../api/mesh-operator-status.ts';

/** What a pass found of one other cluster. */
export interface RemoteOutcome {
  readonly clusterName: string;
  readonly state: RemoteState;
  /** One PascalCase word. */
  readonly reason: string;
  readonly message: string;
  readonly kubernetesVersion?: string;
  readonly credential?: {
    readonly issuedAt: string;
    readonly expiresAt?: string;
    /** When it will be replaced. */
    readonly renewAt?: string;
  };
  /** Come back after this long, even if nothing changes. */
  readonly againInMs: number;
}

/** What is to be said of another cluster, and of which generation of the mesh that is true. */
export interface RemoteStatement {
  readonly said: Omit<RemoteStatus, 'since'>;
  readonly generation: number;
}
