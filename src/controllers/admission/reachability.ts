import type { SelfTestResult } from './self-test.ts';

/** What is known about whether API servers reach the injector. */
export interface ReachabilityFacts {
  /** Ready replicas of the injector's Deployment; undefined when there is no Deployment. */
  readonly readyReplicas: number | undefined;
  /** The webhook configurations exist. */
  readonly isConfigured: boolean;
  /** When a self-test has last succeeded, as the webhook configuration says; undefined when none has. */
  readonly reachedAt: Date | undefined;
  /** When a pod was last refused because the webhook could not be asked. */
  readonly lastRefusalAt: Date | undefined;
  /** The certificate has been replaced since the last self-test. */
  readonly isCertificateNew: boolean;
  /** The self-test of this pass, once it has run. */
  readonly test?: SelfTestResult;
}

/** What follows from it. */
export type Reachability =
  | { readonly kind: 'reached' }
  /** Only a self-test can tell. */
  | { readonly kind: 'unproven' }
  | {
      readonly kind: 'unreached';
      readonly reason: 'NotDeployed' | 'NoReplica' | 'NotConfigured' | 'Unreachable';
      readonly message: string;
    };

/**
 * Whether API servers reach the injector. Without a ready replica, certainly not; otherwise a self-test tells, and what
 * it told holds until a pod is refused or the certificate changes: an injector at rest is asked nothing.
 */
export function determineReachability(facts: ReachabilityFacts): Reachability {
  const { readyReplicas, isConfigured, reachedAt, lastRefusalAt, isCertificateNew, test } = facts;
  if (readyReplicas === undefined) {
    return { kind: 'unreached', reason: 'NotDeployed', message: 'The injector is not deployed yet' };
  }
  if (readyReplicas === 0) {
    return { kind: 'unreached', reason: 'NoReplica', message: 'No replica of the injector is ready' };
  }
  if (!isConfigured) {
    return { kind: 'unreached', reason: 'NotConfigured', message: 'Its webhooks are not there yet' };
  }
  if (test?.kind === 'unreached') return { kind: 'unreached', reason: 'Unreachable', message: test.message };
  if (test !== undefined) return { kind: 'reached' };
  const isDoubtful = lastRefusalAt !== undefined && reachedAt !== undefined && lastRefusalAt > reachedAt;
  return reachedAt === undefined || isDoubtful || isCertificateNew
    ? { kind: 'unproven' }
    : { kind: 'reached' };
}
