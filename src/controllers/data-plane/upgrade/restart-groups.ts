import { inferWorkload } from '../../../injection/workload-owner.ts';
import { asPod } from '../pod-record.ts';
import type { ObservedNamespace, ObservedProxy } from './observed-upgrade.ts';

/** The pods of one workload. */
export interface RestartGroup {
  readonly namespace: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly proxies: readonly ObservedProxy[];
}

/** Nobody brings such pods back as they were: whoever made them has to. */
const leftAlone = ['Pod', 'Job', 'CronJob', 'Node'];

/** The workloads of a namespace that can be restarted. */
export function restartGroups({ name: namespace, proxies }: ObservedNamespace): RestartGroup[] {
  const groups = new Map<
    string,
    { readonly apiVersion: string; kind: string; name: string; proxies: ObservedProxy[] }
  >();
  for (const proxy of proxies) {
    const { apiVersion, kind, name } = inferWorkload(asPod(proxy.pod));
    if (leftAlone.includes(kind)) continue;
    const key = `${kind}/${name}`;
    const group = groups.get(key) ?? { apiVersion, kind, name, proxies: [] };
    group.proxies.push(proxy);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => ({ namespace, ...group }));
}

/** `Deployment shop/cart`. */
export function groupText({ namespace, kind, name }: RestartGroup): string {
  return `${kind} ${namespace}/${name}`;
}

/** Whether a rolling update of its own replaces the pods of a workload; otherwise they are evicted one by one. */
export function rollsOut({ apiVersion, kind }: RestartGroup): boolean {
  return apiVersion === 'apps/v1' && ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind);
}
