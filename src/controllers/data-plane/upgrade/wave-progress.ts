import type { ResolvedUpgradeWave } from '../../../api/resolved-upgrade.ts';
import { matchesSelector } from '../../../injection/label-selector.ts';
import type { ObservedNamespace, ObservedProxy } from './observed-upgrade.ts';
import { groupText, type RestartGroup, restartGroups } from './restart-groups.ts';

/** The wave, counted from 0, that a namespace moves with: the first that selects it; the last one selects all. */
export function waveOf(waves: readonly ResolvedUpgradeWave[], { labels }: ObservedNamespace): number {
  return waves.findIndex(({ namespaceSelector }) => matchesSelector(namespaceSelector, labels));
}

/** How far the workloads of some namespaces are. */
export interface Progress {
  /** Workloads with pods to be replaced. */
  readonly behind: readonly RestartGroup[];
  /** What is waited for, as sentences without an end; empty when all is well. */
  readonly blockers: readonly string[];
}

/**
 * Looks at each workload of the namespaces. `isBehind` tells the proxies to be replaced. One that has no pod that is
 * ready, and none that was replaced, was broken before: it is left as it is, unless `withBroken`.
 */
export function progressOf(
  namespaces: readonly ObservedNamespace[],
  isBehind: (proxy: ObservedProxy) => boolean,
  { withBroken = false } = {},
): Progress {
  const behind: RestartGroup[] = [];
  const blockers: string[] = [];
  for (const group of namespaces.flatMap(restartGroups)) {
    const old = group.proxies.filter(isBehind);
    const isBroken = old.length === group.proxies.length && old.every(({ isReady }) => !isReady);
    if (isBroken && !withBroken) continue;
    const unready = group.proxies.filter((proxy) => !isBehind(proxy) && !proxy.isReady);
    if (old.length > 0) {
      behind.push(group);
      blockers.push(
        `${groupText(group)} has ${old.length} of ${group.proxies.length} pods still to be replaced`,
      );
    } else if (unready.length > 0) {
      blockers.push(
        `${groupText(group)} has ${unready.length} of ${group.proxies.length} pods that are not ready`,
      );
    }
  }
  return { behind, blockers };
}
