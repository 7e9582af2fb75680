import type { RemoteIdentity } from '../../kube/remote-identity.ts';

/** One credential by which istiod reads another cluster. */
export interface CredentialSlot {
  /** The Secret over there that it is bound to, or that holds it: without that it is not valid. */
  readonly holder: string;
  readonly token: string;
  /** RFC 3339. */
  readonly issuedAt: string;
  /** RFC 3339; absent: it has no end. */
  readonly expiresAt?: string;
}

/** What a replica of istiod has counted at some instant. */
export interface ReplicaCount {
  /** When its process started, as it says itself. */
  readonly startedAt?: string;
  /** Changes of remote secrets since. */
  readonly secretEvents: number;
}

/** That istiod is being given a credential. */
export interface Delivery {
  /**
   * What each replica had counted before, by the UID of its pod. Absent: istiod had nothing of the cluster, so a replica
   * that knows it has heard of this.
   */
  readonly before?: Readonly<Record<string, ReplicaCount>>;
  /** RFC 3339: just before the file with it was written; absent: it is in the kubeconfig. */
  readonly fileSince?: string;
}

/** That replicas of istiod have lost what they knew of the cluster, since its kubeconfig is another one. */
export interface Restart {
  /** RFC 3339: just before the change. */
  readonly at: string;
  /** UIDs of their pods. */
  readonly pods: readonly string[];
}

/** All that is remembered of the credential for one other cluster; each step is one write of it. */
export interface CredentialState {
  /** What every replica of istiod uses. */
  readonly current?: CredentialSlot;
  /** What they are being given. */
  readonly next?: CredentialSlot;
  /** What none of them uses any more, until the other cluster has been seen to refuse it. */
  readonly previous?: CredentialSlot;
  /** Of `next`, from just before it is where istiod looks. */
  readonly delivery?: Delivery;
  /** Whether istiod reads the token from a file, so that its kubeconfig stays as it is. */
  readonly isInFile?: boolean;
  readonly restart?: Restart;
  /** How the operator gets in, for when it must clean up and nobody says so any more. */
  readonly access?: RemoteIdentity;
  /** The cluster that the credential is for, by whose name the reader over there is called. */
  readonly readerOf?: string;
  /** The Secret by which istiod is there, where it has that cluster for its own; absent: that of remotes (`remote-secret.ts`). */
  readonly configSecret?: string;
  /** The ConfigMap over there by which a cluster that follows is told of istiod, from just before it is made. */
  readonly told?: string;
  /** The request to rotate that was heard last. */
  readonly request?: string;
}
