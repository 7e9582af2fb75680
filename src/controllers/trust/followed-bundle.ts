import { configMapEntry } from '../../api/config-map-entry.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { primaryRootsKey, readPrimary } from '../../api/primary-statement.ts';
import type { FollowedBundle } from '../../pki/follower.ts';
import type { ExternalReport } from './external-trust.ts';
import { fingerprintsOf } from './root-config-map.ts';

/**
 * What the cluster with the istiod asks of this one; `told` is its ConfigMap. Undefined until its roots, and no others, are
 * in every namespace: what was brought is read by another cache, which may be older.
 */
export function followedBundle(
  told: KubernetesObject,
  { bundle, isComplete }: Pick<ExternalReport, 'bundle' | 'isComplete'>,
): FollowedBundle | undefined {
  const { statement } = readPrimary(told);
  const rootsPem = configMapEntry(told, primaryRootsKey);
  if (statement === undefined || rootsPem === undefined || !isComplete) return undefined;
  const brought = bundle.roots?.map(({ fingerprint }) => fingerprint) ?? [];
  if (brought.join() !== fingerprintsOf(rootsPem).join()) return undefined;
  const { clusterName, meshID, version, signerPem } = statement;
  return { clusterName, meshID, version, rootsPem, signerPem };
}
