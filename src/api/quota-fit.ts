import { isRecord } from '../base/stable-json.ts';
import { type KubernetesObject, keyText } from './kubernetes-object.ts';
import type { Problem } from './problem.ts';
import { parseQuantityNanos } from './quantity.ts';
import type { ResolvedMesh } from './resolved-mesh.ts';

const path = 'spec.components.pilot.k8s.resources';

/**
 * Why istiod cannot run under a ResourceQuota of its namespace: it asks for more than is there at all, or says nothing of
 * what the quota wants every pod to say. What others use of the quota does not count. Quotas with scopes are left out.
 */
export function quotaProblems(
  { pilot, namespace }: ResolvedMesh,
  quotas: readonly KubernetesObject[],
): Problem[] {
  if (!pilot.enabled) return [];
  const { minReplicas } = (pilot.hpaSpec ?? {}) as { readonly minReplicas?: number };
  const replicas = BigInt(pilot.replicas ?? minReplicas ?? 1);
  return quotas.flatMap(({ metadata, spec }) => {
    const { hard, scopes, scopeSelector } = isRecord(spec) ? spec : {};
    if (!isRecord(hard) || scopes !== undefined || scopeSelector !== undefined) return [];
    const quota = `ResourceQuota ${keyText({ namespace, name: metadata.name })}`;
    return Object.entries(hard).flatMap(([resource, limit]): Problem[] => {
      const demand = demandOf(pilot.resources, resource);
      const most = parseQuantityNanos(limit);
      if (demand === undefined || most === undefined) return [];
      if (demand.value === undefined) {
        return [
          {
            path,
            message: `must have ${demand.field}: ${quota} has ${resource}, without which no pod is made`,
          },
        ];
      }
      const value = parseQuantityNanos(demand.value);
      if (value === undefined || value * replicas <= most) return [];
      const times = replicas === 1n ? '' : ` for each of ${replicas} replicas`;
      const asked = demand.field === 'pods' ? `${replicas} pods` : `${demand.field} ${demand.value}${times}`;
      return [{ path, message: `asks for ${asked}, but ${quota} allows ${resource} ${limit} in all` }];
    });
  });
}

/** What of a pod counts for a resource of a quota; undefined for one that is not of CPU, memory or pods. */
function demandOf(resources: ResolvedMesh['pilot']['resources'], resource: string) {
  if (resource === 'pods' || resource === 'count/pods') return { field: 'pods', value: '1' };
  const [kind = '', name = ''] = resource.includes('.') ? resource.split('.') : ['requests', resource];
  if ((name !== 'cpu' && name !== 'memory') || (kind !== 'requests' && kind !== 'limits')) return undefined;
  const given = resources[kind];
  const limits = resources.limits;
  // A pod that sets a limit alone requests as much.
  const value =
    isRecord(given) && given[name] !== undefined ? given[name] : isRecord(limits) ? limits[name] : undefined;
  return { field: `${kind}.${name}`, value: value === undefined ? undefined : String(value) };
}
