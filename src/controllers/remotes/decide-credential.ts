import type { ResolvedRemote } from '../../api/resolved-multi-cluster.ts';
import type { CredentialSlot, CredentialState } from './credential-state.ts';
import { hasHeard } from './heard-delivery.ts';
import type { ObservedReplica } from './observe-replicas.ts';

/** What is known of the credential for one other cluster. */
export interface ObservedCredential {
  readonly state: CredentialState;
  /** The slot that is, byte for byte, in the Secret that istiod reads; undefined when it is none of them. */
  readonly delivered: 'current' | 'next' | undefined;
  /** Replicas of istiod; asked only while something is being delivered. */
  readonly replicas: readonly ObservedReplica[];
  /** Whether the other cluster refuses the current one before its time: somebody has revoked it. */
  readonly isRefused: boolean;
  /** What asks for another one: an annotation of the mesh, whatever it says. */
  readonly request: string | undefined;
  /** True while there are replicas of istiod and none of them is Ready. */
  readonly isStarting: boolean;
}

/** Why a credential is made. */
export type MintReason = 'first' | 'due' | 'requested' | 'refused';

/** What to do next about it. */
export type CredentialStep =
  | { readonly do: 'mint'; readonly why: MintReason }
  /** Give istiod a slot. */
  | { readonly do: 'deliver'; readonly slot: 'current' | 'next' }
  /** `next` is what every replica uses. */
  | { readonly do: 'promote' }
  /** Take back the previous one, and see that it is refused. */
  | { readonly do: 'revoke' }
  /** Replicas that do not use it yet, and why. */
  | { readonly do: 'wait'; readonly behind: readonly string[] }
  /** `deliver` is not its turn yet. */
  | { readonly do: 'queue' }
  /** istiod does not know the cluster, and first has to start. */
  | { readonly do: 'hold' }
  /** It is in the file since a while, and until then a replica may still use what was there before. */
  | { readonly do: 'settle'; readonly until: Date }
  /** Have replicas started anew that have lost what they knew of the cluster. */
  | { readonly do: 'restart' }
  /** Nothing, before `dueAt`; absent: until somebody asks. */
  | { readonly do: 'nothing'; readonly dueAt?: Date };

/**
 * How long after the file of a token has changed in the API server nobody uses what was there before. A kubelet looks at the
 * Secrets that a pod has mounted at least every 90 s (60 s and up to half of that, `workerResyncIntervalJitterFactor` in
 * Kubernetes pkg/kubelet/kubelet.go), in a cache that is at most 60 s old (kubelet's `configMapAndSecretChangeDetectionStrategy:
 * Cache`; with `Watch`, the default, there is no such wait). client-go reads a file again within 60 s (`NewCachedFileTokenSource`
 * in client-go transport/token_source.go). Those 210 s are rounded up by the time that a write may take.
 */
const settledAfterMs = 240_000;

/** How much of a lifetime is used. */
const usedShare = 0.5;

/**
 * The next step for one credential. What holds at any instant, wherever the operator ended before: istiod's Secret has a
 * credential that is valid, or none; and none is taken back before every replica uses its successor. Pure.
 */
export function decideCredential(
  observed: ObservedCredential,
  { credential }: Pick<ResolvedRemote, 'credential'>,
  now: Date,
): CredentialStep {
  const { state, delivered, replicas, isRefused, request, isStarting } = observed;
  const { current, next, previous, delivery } = state;
  const mustHold = delivered === undefined && isStarting;
  if (state.restart !== undefined && delivered !== undefined) return { do: 'restart' };
  if (next !== undefined) {
    if (mustHold) return { do: 'hold' };
    if (delivery === undefined || delivered !== 'next') return { do: 'deliver', slot: 'next' };
    const until = settledAt(state);
    if (until !== undefined && now < until) return { do: 'settle', until };
    const behind = replicas.flatMap((replica) => lagOf(replica, state) ?? []);
    return behind.length === 0 ? { do: 'promote' } : { do: 'wait', behind };
  }
  if (current === undefined) return { do: 'mint', why: 'first' };
  if (mustHold) return { do: 'hold' };
  if (delivered !== 'current') return { do: 'deliver', slot: 'current' };
  if (previous !== undefined) return { do: 'revoke' };
  if (isRefused) return { do: 'mint', why: 'refused' };
  if (request !== undefined && request !== state.request) return { do: 'mint', why: 'requested' };
  const dueAt = dueOf(current, credential);
  if (dueAt === undefined) return { do: 'nothing' };
  return dueAt <= now ? { do: 'mint', why: 'due' } : { do: 'nothing', dueAt };
}

/** When half of its life is over, or half of what the spec says now if that is sooner. */
function dueOf(
  { issuedAt, expiresAt }: CredentialSlot,
  credential: ResolvedRemote['credential'],
): Date | undefined {
  if (credential.type === 'LongLived') return expiresAt === undefined ? undefined : new Date(0);
  const issuedMs = Date.parse(issuedAt);
  const endMs = expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
  const lifetimeMs = Math.min(endMs - issuedMs, credential.lifetimeMs);
  return new Date(issuedMs + lifetimeMs * usedShare);
}

/** When no replica uses the current credential any more, where that is to be told by the time alone. */
export function settledAt({ current, delivery }: CredentialState): Date | undefined {
  if (current === undefined || delivery?.fileSince === undefined) return undefined;
  return new Date(Date.parse(delivery.fileSince) + settledAfterMs);
}

/** Why a replica cannot be known to use what was delivered; undefined when it does. */
function lagOf(replica: ObservedReplica, { delivery }: CredentialState): string | undefined {
  const { pod, problem, syncStatus } = replica;
  if (problem !== undefined) return `${pod} ${problem}`;
  if (delivery === undefined || !hasHeard(replica, delivery)) return `${pod} has not heard of it`;
  return syncStatus === 'synced' ? undefined : `${pod} says ${syncStatus ?? 'nothing of the cluster'}`;
}
