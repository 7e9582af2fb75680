import { findCondition } from '../../api/conditions.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';

const trustHealthy = 'TrustHealthy';

/** Reasons of `TrustHealthy` with which istiod may lack what it signs with, or those who verify it their roots. */
const troubles: readonly string[] = [
  ...['Expired', 'AuthorityUnusable', 'MaterialRefused', 'BundleRefused'],
  ...['Ordering', 'OrderWaiting', 'OrderRefused', 'CertManagerMissing'],
];

/**
 * What the trust controller says is wrong with the authority, where istiod cannot start for that: a phrase that names the
 * condition, or undefined. Pure.
 */
export function trustTrouble(mesh: KubernetesObject | undefined): string | undefined {
  const { conditions = [] } = (mesh?.status ?? {}) as MeshOperatorStatus;
  const condition = findCondition(conditions, trustHealthy);
  if (condition === undefined || condition.status === 'True' || !troubles.includes(condition.reason)) {
    return undefined;
  }
  return `${trustHealthy} says why (${condition.reason}): ${condition.message}`;
}
